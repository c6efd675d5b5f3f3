"""Which words of a text name a place or a person, and which are only words."""

from __future__ import annotations

import re

from tunneldoctor.model import Layer, Place, Provider, Severity, Status, Verdict
from tunneldoctor.report.aliases import DATABASE, HOST, KINDS, TUNNEL, USER

#: One name or number, with dots inside; what may stand in it percent-encoded too.
WORD = r"[\w%+-]+(?:\.[\w%+-]+)*"
_ALONE_BEFORE, _ALONE_AFTER = r"(?<![\w%+-])(?<![\w%+-]\.)", r"(?![\w%+-])(?!\.[\w%+-])"
#: What is told apart before words are: fingerprints and public keys (RFC 4253 §6.6), IPv6 addresses with their zone.
TOKENS = re.compile(
    rf"(?P<key>(?<=SHA256:)[A-Za-z0-9+/]{{20,}}=?{_ALONE_AFTER}|(?<=MD5:)[0-9a-f]{{2}}(?::[0-9a-f]{{2}}){{15}}{_ALONE_AFTER}|"
    rf"{_ALONE_BEFORE}AAAA[A-Za-z0-9+/]{{40,}}={{0,2}}{_ALONE_AFTER})|"
    r"(?P<v6>(?<![\w:%+-])(?<![\w%+-]\.)(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?"
    rf"(?![\w:+(-])(?!\.\w)(?P<zone>%[\w.-]+)?)|(?P<word>{WORD})"
)
V4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
PREFIX = re.compile(r"/(\d{1,3})(?![\w.])")
#: No name: a number, ``%s`` of a format, and what advice has for the reader to fill in.
STANDS_FOR_A_NAME = re.compile(r"\d+|%\w|[A-Z]+")
LOOKS_LIKE_AN_ALIAS = re.compile(rf"(?:{'|'.join(KINDS)})-\d+(?:\.example)?", re.IGNORECASE)
#: Names that Amazon gives: machines, networks, rules.
CLOUD_ID = re.compile(r"(?:i|sg|vpc|subnet|eni|rtb|acl|ami|vol|snap|db)-[0-9a-fA-Z]{8,}|ip(?:-\d{1,3}){4}")

_ORDINARY = """
a access account accept accepted accepts add address addresses admin after agent all allow allowed an and any are as
ask at authorized be because before bind but by can cause certificate changed check checks client cloud command
company config configuration connect connection connections could data database databases db default demo denied
diagnosis do does each else empty end env error exists expected failed file find fix for forward found from give
group has have here home host hostname hosts how idle if in internal is it its jump keep key keys known last left
like line list listen load local localhost log login look main make may message mode more mysql mariadb name names
network new next no none not nothing now of off old on one only open option or other our own owner password path
permission permissions port postgres postgresql primary private provider proxy psql public put query read reader
ready redis refused remote replica report resolve role root rule run same says secret see select sent server service
set show so socket some sqlserver ssh sshd start stop such sudo sure system table tcp test than that the their then
there they this time timeout tls to trust tunnel two type unknown up use used user username users value verify
version was way web what when where which who why will with word work works write written you your
"""
_ENDINGS = """
pem crt cer key pub conf cnf cfg ini toml yaml yml json log txt md sh py js so d service socket timer target pid
sock lock db sql gz zip tar ppk p12 pfx jks list local html xml env bak old exe dll jar war rb go rs c h cpp java
class transport channel
"""
_PARTS = """
. .. ~ etc ssh .ssh sshd_config sshd_config.d ssh_config ssh_config.d authorized_keys authorized_keys2 known_hosts
ssh_known_hosts id_rsa id_dsa id_ecdsa id_ed25519 id_ed25519_sk id_ecdsa_sk identity config configs home users user
root dev null tty fd stdin stdout proc self net sys kernel run var lib lib64 libexec log logs auth.log secure
messages syslog tmp usr bin sbin local share opt srv mnt media boot cron.d sudoers.d sudoers passwd group shadow
hosts hosts.allow hosts.deny resolv.conf nsswitch.conf gai.conf pam.d sshd login ssl certs private ca-certificates
ca-certificates.crt ca-bundle.crt pki tls systemd system user nologin false true sh bash zsh env python python3
postgresql pgsql main data pg_hba.conf postgresql.conf postgresql.auto.conf pg_ident.conf mysql mysqld mysql.conf.d
my.cnf mariadb mariadb.conf.d redis redis.conf haproxy haproxy.cfg nginx nginx.conf stunnel pgbouncer pgbouncer.ini
userlist.txt .pgpass .pg_service.conf .my.cnf .netrc .aws .azure .kube .config .local state library documents
desktop appdata roaming program files windows system32 drivers c: sysctl.d sysctl.conf ipv4 ipv6
ip_unprivileged_port_start tcp_keepalive_time ssh_host_rsa_key ssh_host_ed25519_key ssh_host_ecdsa_key
ssh_host_rsa_key.pub ssh_host_ed25519_key.pub ssh_host_ecdsa_key.pub ssh_host_ed25519_key-cert.pub tunneldoctor
tunneldoctor.toml history root.pem root.crt client.pem client.crt client.key global global-bundle.pem agent
agent.sock crypto-policies back-ends opensshserver.config selinux apparmor fail2ban jail.local user_ca.pub
10-algorithms.conf 10-channel-timeout.conf 10-ciphers.conf 10-dns.conf 10-host-certificate.conf
10-hostkeyalgorithms.conf 10-keepalive.conf 10-kexalgorithms.conf 10-macs.conf 10-no-passwords.conf
10-penalties.conf 10-pubkey.conf 10-startups.conf 10-tunnel-forwarding.conf 10-tunnel-login.conf 10-unused.conf
10-user-ca.conf shells limits tcp udp
"""
#: Words that our own texts use, and names that every machine has: such a name is replaced only where it plainly is one.
ORDINARY = frozenset(
    {each.value for words in (Layer, Place, Provider, Severity, Status, Verdict) for each in words}
    | set(_ORDINARY.split())
)
#: Domains in names of algorithms (RFC 4251 §6) and hosts that pages name; they are the same for everybody.
EVERYBODYS = frozenset(
    {"openssh.com", "libssh.org", "lysator.liu.se", "ssh.com", "localhost.localdomain", "github.com", "gitlab.com",
     "truststore.pki.rds.amazonaws.com", "postgresql.org", "www.postgresql.org", "database.windows.net"}
)  # fmt: skip
#: Not hosts: tables of databases, modules of Python.
_SCHEMAS = frozenset({"sys", "mysql", "pg_catalog", "information_schema", "urllib", "os", "socket", "java", "javax"})
_FILE = frozenset(_ENDINGS.split())
#: Parts of paths that are the same on every machine.
PATH_PARTS = frozenset(_PARTS.split())

_QUOTE = r"[\"'`“‘]"
#: What stands before a name, so that it is one. Longest 40 characters.
_LEADS = {
    USER: re.compile(
        rf"(?:(?:\b(?:users?|role|login|principals?|owner|account|username|uid)[ =:]+{_QUOTE}?)|"
        r"[\s'\"](?:-l|-U|-u|-e|--user|--username)[ =]?'?|(?:^|[\s'\":=(])~|for (?:invalid )?user |sudo -u |chown )$",
        re.IGNORECASE,
    ),
    DATABASE: re.compile(
        rf"(?:(?:\b(?:databases?|dbname|databasename|schema)[ =:]+{_QUOTE}?)|[\s'\"](?:-d|--dbname)[ =]'?)$",
        re.IGNORECASE,
    ),
    HOST: re.compile(
        r"(?:\b(?:hosts?|hostname|server|hostaddr)[ =:]+['\"]?|@\[?|[\s'\"](?:-h|--host)[ =]'?|[a-z]://)$",
        re.IGNORECASE,
    ),
}  # fmt: skip
#: What makes a name of somebody unknown to the report: quotes or an equals sign, as servers write them.
_TOLD = {
    USER: re.compile(
        rf"\b(?:user|role|username|login|principal|account|owner)(?:=['\"]?| {_QUOTE})$|[\s'\"(=:]~$|"
        r"\bfor (?:invalid )?user $|\b(?:Failed|Accepted) \w+ for $|^User $|[/\\](?:home|Users)[/\\]$",
        re.IGNORECASE,
    ),
    DATABASE: re.compile(rf"\b(?:database|dbname|databasename|schema)(?:=['\"]?| {_QUOTE})$", re.IGNORECASE),
}
_LISTED = re.compile(r"(?im)^[ \t]*(?:Allow|Deny)Users[ \t]+([^\n]+)")
_URL_END = re.compile(r"\b(?!https?:)[a-z][a-z0-9+.-]*://(?:[^\s/@]*@)?[^\s/@]+/$", re.IGNORECASE)
_LEAD, _LONGEST_PATH = 48, 300

#: A finding's parameter or a fact whose whole value is a name of that kind.
PARAMETERS = {
    "username": USER, "user": USER, "database_user": USER, "bastion_username": USER, "account": USER, "principal": USER,
    "database_name": DATABASE, "database": DATABASE, "host": HOST, "server": HOST, "bastion_host": HOST, "alias": HOST,
    "remote_host": HOST, "database_host": HOST, "certificate_name": HOST, "looked_up": HOST, "tunnel": TUNNEL,
}  # fmt: skip


def is_host_name(word: str) -> bool:
    """*word* has dots and ends as names of hosts do; not as a file, a class or a setting does."""
    labels = word.rstrip(".").split(".")
    last = labels[-1]
    if len(labels) < 2 or word.lower() in EVERYBODYS or not (last.isalpha() or last.lower().startswith("xn--")):
        return False
    camel = (sum(map(str.isupper, last)) > 1 and not last.isupper()) or re.search(r"[a-z][A-Z]", word) is not None
    setting = labels[0] in _SCHEMAS or (len(labels) == 2 and all(each.istitle() for each in labels))
    if camel or setting:
        return False
    return len(last) > 1 and last.lower() not in _FILE and all(labels) and "_" not in labels[-2]


def plainly(text: str, start: int, end: int) -> bool:
    """The ordinary word at that place is a name there: it is quoted, or led and followed as names are."""
    before, after = text[max(0, start - _LEAD) : start], text[end : end + 1]
    if after == "@" or (before[-1:] in {"'", '"', "`", "“"} and after in {"'", '"', "`", "”"}):
        return True
    if before.endswith("for ") and text.startswith(" from ", end):
        return True
    return any(lead.search(before) is not None for lead in (*_LEADS.values(), _TOLD[USER], _URL_END))


def told(text: str, start: int, end: int) -> str | None:
    """The kind of the name that the word at that place is, by what stands before it; None where nothing says so."""
    before = text[max(0, start - _LEAD) : start]
    for kind, lead in _TOLD.items():
        if lead.search(before):
            return kind
    if text[end : end + 1] == "@" and not any(text.startswith(each, end + 1) for each in EVERYBODYS):
        return USER if re.match(r"@[\w\[]", text[end : end + 2]) else None
    if text[end : end + 1] == ":" and re.search(r"://$", before) and re.match(r":[^\s/]*@", text[end:]):
        return USER
    return DATABASE if _URL_END.search(before) else None


def listed(text: str) -> list[str]:
    """The users in lines of sshd_config(5) that allow or deny some."""
    return [word for match in _LISTED.finditer(text) for word in re.findall(WORD, match[1])]


def in_path(text: str, start: int, end: int) -> bool:
    """The word there is a part of a path: a slash or a backslash is before it, and the path begins as paths do.

    Two plain words with one slash between them are none: ``and/or``, ``client/server``.
    """
    if not re.search(r"[/\\]\.?$", text[max(0, start - 2) : start]):
        return False
    head = re.split(r"[\s'\"=(,;`<>|\[]", text[max(0, start - _LONGEST_PATH) : start])[-1]
    head = head.rpartition("//")[2] if "://" in head else head
    head = head.rpartition(":")[2] if ":/" in head else head
    if re.fullmatch(r"[A-Za-z]+/", head) and text[start:end].isalpha() and text[end : end + 1] != "/":
        return False
    return re.match(r"(?:~[\w.-]*|\.{1,2}|[A-Za-z]:)[/\\]|/|[\w.-]+/|\\\\", head) is not None
