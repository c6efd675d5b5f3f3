"""The commands that no test runs, and why; those that end with an error where nothing is wrong."""

from __future__ import annotations

import re
import shutil

#: Part of a command (a regular expression), and why no test runs it. A test holds that each is needed.
NOT_RUN = {
    r"\bfail2ban-client\b": "bans are for a real bastion's fail2ban",
    r"\b(ausearch|restorecon|setsebool)\b": "SELinux is not on in the lab",
    r"\b(ufw|firewall-cmd)\b": "these firewalls are not in the lab; nft is",
    r"\bvault write\b": "HashiCorp Vault is not in the lab",
    r"systemctl (status|start postgresql|restart (systemd-resolved|redis-server))|timedatectl": "no systemd in the lab",
    r"\b(sqlcmd|lsnrctl)\b": "SQL Server and Oracle are not in the lab",
    r"-P 6032": "ProxySQL is not in the lab",
    r"-U pgbouncer|reload pgbouncer": "the lab's pgbouncer has no console",
    r"\\password": "asks for the new password at the terminal",
    r"-u root -p flush-hosts": "asks for the password of a root who may come over the network",
    r"tcp_mtu_probing|tee -a /etc/hosts": "changes the machine that the tests run on",
    r"\b(whois|dig|resolvectl|curl)\b": "asks servers outside",
    r"rds_iam|AWSAuthenticationPlugin": "there is that role, and that plugin, on RDS alone",
    r"\btcpdump\b": "listens for half a minute",
    r"ssh-add -X": "asks for the password that locked the agent",
    r"sudo passwd \{": "asks for the new password",
    r"getpass\(\)": "asks for the password",
    r"EDITOR:-vi": "opens an editor",
    r"ssh-agent -s": "leaves an agent behind, with the keys of the real home folder",
    r"ssh-keygen -t ed25519 -f ~/.ssh/": "writes into the real home folder: ssh-keygen does not go by $HOME",
    r"ssh-keygen -F|ssh -v -o BatchMode": "reads the real home folder's known_hosts: OpenSSH does not go by $HOME",
    r"sudo rm /etc/ssh/ssh_host": "the host keys are those of all scenarios",
    r"sudo useradd": "test_healing.py runs it by itself, with a name of the lab's",
    r"openssl s_client -quiet -connect %h:%p": "needs a TLS front before sshd",
    r"repair-key .* --passphrase": "needs a key with a damage: tests of repair-key",
    r"PerSourcePenaltyExemptList": "for OpenSSH 9.8 and later",
    r"--idle 10m|--find-cutoff": "waits for minutes",
}
#: Part of a command, and the status that it ends with beside a tunnel that works: there grep finds nothing.
ENDS_WITH = {
    "grep -n cert-authority": 1,
    "@revoked": 1,
    "grep -iE 'drop connection": 1,
    "grep -i penalty": 1,
    "grep -i 'protocol identifier'": 1,
    "grep -i fatal": 1,
    "grep -A1 FATAL": 1,
    "for port in 5432": 1,
    "-e send-proxy": 1,
    "-e accept-proxy": 2,
}
#: Commands that ask for the database's password, at the terminal or, without one, on their standard input.
ASKS = re.compile(r"(psql|mysql) .*-[uU] \{database_user\}")
#: Fields that mean another file on the page of a code.
OTHER_FILES = {
    "key.certificate-given": {"private_key": "key-cert.pub"},
    "key.certificate-shadows-key": {"path": "key-cert.pub"},
    "key.cipher-unsupported": {"private_key": "pem"},
    "key.encoded-twice": {"private_key": "twice"},
    "key.sshcom-format": {"private_key": "ssh2"},
}
#: Programs that a page may name and that the tests do without where they are not installed.
OPTIONAL = ("nc", "ping", "traceroute", "puttygen", "iptables", "file")


def why_not_run(template: str) -> str | None:
    """The reason why no test runs this command anywhere; None where it is run."""
    return next((reason for part, reason in NOT_RUN.items() if re.search(part, template)), None)


def of_a_provider(template: str) -> bool:
    """Whether it calls a cloud provider's program: test_cloud.py looks at those."""
    return re.search(r"(?<![\w-])(aws|az|gcloud) [a-z]", template) is not None


def absent(template: str) -> str | None:
    """A program that the command needs and that is not installed here."""
    words = set(re.findall(r"(?<![/.\w-])[\w-]+(?![/.\w-])", template))
    return next((name for name in OPTIONAL if name in words and not shutil.which(name)), None)
