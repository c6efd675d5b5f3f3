"""Why a key is refused, from outputs of the script: what sshd stumbles over first, and what is behind it."""

from __future__ import annotations

import pytest

from fixtures import keys
from tests.bastion.looks import FILE, FINGERPRINT, KEY, cleared, judgement, named, output
from tunneldoctor.bastion.login import judge_login
from tunneldoctor.bastion.reading import read
from tunneldoctor.bastion.subject import Subject

OTHER = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
ABSENT = f"1 other 256 {OTHER} somebody (ED25519) options: "


def ours(options: str) -> str:
    return f"1 ours 256 {FINGERPRINT} orders pipeline (ED25519) options: {options}"


def way(
    folder: str = "drwx------ 2 1001 1001", home: str = "drwxr-x--- 4 1001 1001", file: str = "-rw------- 1 1001 1001"
) -> str:
    return (
        f"drwxr-xr-x 18 0 0 4096 Nov  1 10:00 /\ndrwxr-xr-x 5 0 0 4096 Nov  1 10:00 /home\n"
        f"{home} 4096 Nov  1 10:00 /home/tunnel\n{folder} 4096 Nov  1 10:00 /home/tunnel/.ssh\n"
        f"{file} 103 Nov  1 10:00 {FILE}"
    )


def test_an_account_that_is_not_there_is_all_that_counts() -> None:
    verdict = judgement(id=("id: 'tunnel': no such user", 1), account=(":::::", 0))
    assert named(verdict) == ["auth.unknown-user"]


@pytest.mark.parametrize(
    ("state", "usepam", "codes"),
    [
        ("password locked changed 20000 maximum 99999 expires", "no", ["auth.account-locked"]),
        ("password none changed 20000 maximum 99999 expires 18262", "no", ["auth.account-locked"]),
        ("password locked changed 20000 maximum 99999 expires", "yes", []),
    ],
)
def test_a_locked_account_counts_only_where_sshd_itself_asks(state: str, usepam: str, codes: list[str]) -> None:
    verdict = judgement({}, {"usepam": usepam, "permitrootlogin": "no"}, shadow=state)
    assert named(verdict) == codes


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"denyusers": "tunnel"}, True),
        ({"denyusers": "tun*@203.0.113.0/24"}, True),
        ({"denyusers": "tunnel@198.51.100.0/24"}, False),
        ({"allowusers": "ops tunnel"}, False),
        ({"allowusers": "ops"}, True),
        ({"allowgroups": "tunnels"}, False),
        ({"allowgroups": "wheel"}, True),
        ({"denygroups": "tunn?ls"}, True),
    ],
)
def test_the_lists_of_users_and_groups_are_read_as_sshd_reads_them(settings: dict[str, str], refused: bool) -> None:
    verdict = judgement({}, settings)
    assert named(verdict) == (["auth.user-not-allowed"] if refused else [])


def test_a_list_with_addresses_stays_open_while_ours_is_not_known() -> None:
    verdict = judgement({"from": ""}, {"allowusers": "tunnel@203.0.113.0/24"})
    assert named(verdict) == []
    assert "auth.user-not-allowed" not in cleared(verdict)


def test_a_shell_that_does_not_exist_keeps_the_user_out_unless_there_is_a_chroot() -> None:
    gone = ("ls: cannot access '/usr/sbin/nologin': No such file or directory", 2)
    assert named(judgement(shell=gone)) == ["auth.user-not-allowed"]
    assert named(judgement({}, {"chrootdirectory": "/srv"}, shell=gone)) == []


def test_a_key_type_that_is_not_accepted_comes_before_the_files() -> None:
    verdict = judgement({}, {"pubkeyacceptedalgorithms": "rsa-sha2-512"}, keys=ABSENT)
    assert named(verdict) == ["auth.algorithm-not-accepted", "auth.key-not-authorized"]


@pytest.mark.parametrize(("least", "codes"), [("2048", []), ("3072", ["auth.key-too-short-for-server"])])
def test_the_length_of_an_rsa_key_is_measured(least: str, codes: list[str]) -> None:
    line = " ".join(keys.public_line(keys.make("rsa")).split()[:2])
    told = f"1 ours 2048 {Subject('', '', 22, key=line).fingerprint} lab (RSA) options: "
    verdict = judgement({"key": line, "algorithm": "rsa-sha2-512"}, {"requiredrsasize": least}, keys=told)
    assert named(verdict) == codes


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ("/dev/stdin (no comment): REVOKED", ["auth.key-revoked"]),
        (f"Invalid KRL file\n256 {FINGERPRINT} revoked (ED25519)", ["auth.key-revoked"]),
        ("ls: /etc/ssh/revoked: No such file or directory", ["auth.key-revoked"]),
        ("/dev/stdin (no comment): ok\n/etc/ssh/revoked is not a public key file.", []),
    ],
)
def test_a_revoked_key_is_found_in_both_kinds_of_list(answer: str, codes: list[str]) -> None:
    verdict = judgement({}, {"revokedkeys": "/etc/ssh/revoked"}, **{"revoked__/etc/ssh/revoked": answer})
    assert named(verdict) == codes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"home": "drwxrwxrwx 4 1001 1001"}, "auth.bad-permissions"),
        ({"folder": "drwx------ 2 1002 1002"}, "auth.authorized-keys-unreadable"),
        ({"file": "-rw-r--r-- 1 1002 1002"}, "auth.bad-permissions"),
        ({"file": "-rw------- 1 0 0"}, "auth.authorized-keys-unreadable"),
        ({"file": "drwx------ 2 1001 1001"}, "auth.authorized-keys-unreadable"),
    ],
)
def test_the_first_thing_on_the_way_to_the_file_that_sshd_minds_is_named(changes: dict[str, str], code: str) -> None:
    assert named(judgement(path=way(**changes)))[0] == code


@pytest.mark.parametrize(
    ("members", "banner", "refused"),
    [("tunnel", "Debian", False), ("tunnel somebody", "Debian", True), ("tunnel", "RedHat", True)],
)
def test_a_group_that_may_write_is_forgiven_by_debian_where_it_is_the_users_own(
    members: str, banner: str, refused: bool
) -> None:
    path = way(home="drwxrwxr-x 4 1001 1001") + f"\ngroup 1001:  {members} "
    look = read(output(path=path).replace("Debian", banner))
    verdict = judge_login(look, Subject.of(look.values()))
    assert named(verdict) == (["auth.bad-permissions"] if refused else [])


def test_nobody_minds_modes_without_strictmodes() -> None:
    verdict = judgement({}, {"strictmodes": "no"}, path=way(home="drwxrwxrwx 4 1001 1001"), keys=ABSENT)
    assert named(verdict) == ["auth.key-not-authorized"]
    assert "auth.bad-permissions" in cleared(verdict)


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (ours('from="198.51.100.0/24"'), ["auth.from-mismatch"]),
        (ours('from="198.51.100.0/24,203.0.113.*"'), []),
        (ours('from="!203.0.113.7,*"'), ["auth.from-mismatch"]),
        (ours('expiry-time="20260101Z"'), ["auth.key-expired"]),
        (ours('expiry-time="20991231"'), []),
        (ours('expiry-time="202611220930"'), ["auth.key-expired"]),
        (ours('permit-open="db.internal:5432"'), ["auth.key-not-authorized"]),
        (ours('command="echo \\"hi\\", there",no-pty'), []),
        (ours("cert-authority"), ["auth.key-not-authorized"]),
        (f"1 damaged unreadable options: \n2 other 256 {OTHER} x (RSA) options: ", ["auth.key-not-authorized"]),
        ("1 ours unreadable options: ", ["auth.key-not-authorized"]),
        (f"{ours('from=10.0.0.1')}\n7 ours 256 {FINGERPRINT} again (ED25519) options: ", []),
        (ABSENT, ["auth.key-not-authorized"]),
    ],
)
def test_the_lines_of_the_file_are_read_as_sshd_reads_them(line: str, codes: list[str]) -> None:
    assert named(judgement(keys=line)) == codes


def test_a_key_in_a_file_that_sshd_does_not_read_is_not_called_absent() -> None:
    file = "/etc/ssh/keys/tunnel"
    gone = f"ls: cannot access '{file}': No such file or directory\ndrwxr-xr-x 1 0 0 1 x /"
    changes = {f"path__{file}": gone, f"keys__{file}": ("cat: no", 1)}
    verdict = judgement({}, {"authorizedkeysfile": "/etc/ssh/keys/%u"}, **changes)
    assert named(verdict) == ["auth.authorized-keys-unreadable"]


def test_two_faults_are_both_told_and_the_first_is_the_cause() -> None:
    verdict = judgement(path=way(home="drwxrwxrwx 4 1001 1001"), keys=ABSENT)
    assert named(verdict) == ["auth.bad-permissions", "auth.key-not-authorized"]


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("/usr/bin/sss_ssh_authorizedkeys", []),
        ("/opt/aws/bin/eic_run_authorized_keys %u %f", ["auth.key-not-authorized"]),
    ],
)
def test_a_command_that_may_know_the_key_keeps_the_causes_open(command: str, codes: list[str]) -> None:
    verdict = judgement({}, {"authorizedkeyscommand": command}, keys=ABSENT)
    assert named(verdict) == codes
    assert ("auth.from-mismatch" in cleared(verdict)) is bool(codes)


def test_where_all_is_in_order_nothing_is_ruled_out() -> None:
    verdict = judgement()
    assert verdict.rulings == ()
    assert "as it should be" in verdict.puzzle


def test_an_admin_without_rights_tells_what_it_saw_and_no_more() -> None:
    verdict = judgement(
        sshd=("/usr/sbin/sshd\n1 listening\nOpenSSH_9.2p1 Debian", 1),
        shadow=("grep: /etc/shadow: Permission denied", 0),
        path=("ls: cannot access: Permission denied", 2),
        keys=("cat: Permission denied", 1),
    )
    assert named(verdict) == []
    assert {code for code in cleared(verdict) if "certificate" not in code} == {
        "auth.unknown-user", "auth.selinux-context"
    }  # fmt: skip


def test_another_sshd_than_the_one_in_question_says_nothing() -> None:
    verdict = judgement(
        {"port": "2222"}, {"denyusers": "tunnel"}, sshd=("/usr/sbin/sshd\n2 listening\nport 22\ndenyusers tunnel", 0)
    )
    assert named(verdict) == []
    verdict = judgement({"port": "2222"}, {"denyusers": "tunnel"})  # the only one: the port is mapped on the way
    assert named(verdict) == ["auth.user-not-allowed"]


SELINUX = "Enforcing\nunconfined_u:object_r:{0}:s0 /home/tunnel\nunconfined_u:object_r:{0}:s0 " + FILE
DENIED = '\ntype=AVC msg=audit(1): avc:  denied  { read } for pid=1 comm="sshd" name="authorized_keys" dev="dm-0"'


def test_selinux_is_proven_by_the_audit_log() -> None:
    verdict = judgement(selinux=SELINUX.format("default_t") + DENIED)
    assert named(verdict) == ["auth.selinux-context"]


def test_selinux_is_what_is_left_where_the_label_is_odd_and_all_else_is_in_order() -> None:
    verdict = judgement(selinux=SELINUX.format("default_t"))
    assert "auth.selinux-context" not in cleared(verdict)
    assert "auth.bad-permissions" in cleared(verdict)
    assert judgement(selinux=SELINUX.format("ssh_home_t")).puzzle


def certified(authority: keys.Key, key: keys.Key, *principals: str, **more: object) -> dict[str, str]:
    line = keys.certificate(key, authority, principals=principals, **more)  # type: ignore[arg-type]
    plain = " ".join(keys.public_line(key).split()[:2])
    return {"key": plain, "certificate": line, "algorithm": line.split()[0]}


def fingerprint(key: keys.Key) -> str:
    return Subject("", "", 22, key=keys.public_line(key)).fingerprint


TAKES = {"pubkeyacceptedalgorithms": "ssh-ed25519-cert-v01@openssh.com,ssh-ed25519"}
CA_FILE = "/etc/ssh/user_ca.pub"


@pytest.mark.parametrize(
    ("settings", "changes", "principals", "codes"),
    [
        ({}, {}, ["tunnel"], ["auth.certificate-authority-untrusted"]),
        ({"trustedusercakeys": CA_FILE}, {f"trusted__{CA_FILE}": f"256 {OTHER} x (RSA)"}, ["tunnel"],
         ["auth.certificate-authority-untrusted"]),
        ({"trustedusercakeys": CA_FILE}, {f"trusted__{CA_FILE}": "256 {ca} x (ED25519)"}, ["ops"],
         ["key.certificate-wrong-principal"]),
        ({"trustedusercakeys": CA_FILE, "authorizedprincipalsfile": "/etc/ssh/principals/%u"},
         {f"trusted__{CA_FILE}": "256 {ca} x (ED25519)", "principals__/etc/ssh/principals/tunnel": "deploy\n# ops"},
         ["ops"], ["auth.certificate-principal-not-authorized"]),
        ({"trustedusercakeys": CA_FILE, "authorizedprincipalsfile": "/etc/ssh/principals/%u"},
         {f"trusted__{CA_FILE}": "256 {ca} x (ED25519)", "principals__/etc/ssh/principals/tunnel": 'from="*" ops'},
         ["ops"], []),
        ({}, {"keys": "3 other 256 {ca} ca (ED25519) options: cert-authority,principals=\"deploy\""}, ["ops"],
         ["auth.certificate-principal-not-authorized"]),
        ({}, {"keys": "3 other 256 {ca} ca (ED25519) options: cert-authority,from=\"10.0.0.1\""}, ["tunnel"],
         ["auth.from-mismatch"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_certificate_on_the_bastion(
    settings: dict[str, str], changes: dict[str, str], principals: list[str], codes: list[str]
) -> None:
    authority, key = keys.make(), keys.make()
    told = {name: text.replace("{ca}", fingerprint(authority)) for name, text in changes.items()}
    told.setdefault("keys", ABSENT)
    about = certified(authority, key, *principals, seconds=(-(10**9), 10**9))
    assert named(judgement(about, TAKES | settings, **told)) == codes


def test_a_certificate_is_out_of_date_by_the_bastions_clock() -> None:
    authority, key = keys.make(), keys.make()
    about = certified(authority, key, "tunnel", seconds=(0, 60))
    trusted = {f"trusted__{CA_FILE}": f"256 {fingerprint(authority)} x (ED25519)"}
    late = judgement(
        about, TAKES | {"trustedusercakeys": CA_FILE}, self="root\n9999999999 2286-11-20T17:46:39", **trusted
    )
    assert named(late) == ["key.certificate-expired"]


def test_a_certificate_that_was_cut_on_the_way_proves_nothing() -> None:
    verdict = judgement({"certificate": "ssh-ed25519-cert-v01@openssh.com AAAA"}, TAKES, keys=ABSENT)
    assert named(verdict) == []
    assert "auth.key-not-authorized" not in cleared(verdict)


def test_what_was_not_seen_of_a_certificates_trust_stays_open() -> None:
    authority, key = keys.make(), keys.make()
    about = certified(authority, key, "ops", seconds=(-(10**9), 10**9))
    hidden = judgement(about, TAKES, keys=("cat: Permission denied", 1), path=("ls: Permission denied", 2))
    trusted = {f"trusted__{CA_FILE}": f"256 {fingerprint(authority)} x (ED25519)"}
    by_command = {"trustedusercakeys": CA_FILE, "authorizedprincipalscommand": "/usr/bin/principals"}
    mapped = judgement(about, TAKES | by_command, **trusted)
    assert named(hidden) == named(mapped) == []
    assert "auth.certificate-authority-untrusted" not in cleared(hidden)
    assert "auth.certificate-principal-not-authorized" not in cleared(mapped)


def test_without_the_key_the_lines_are_not_judged() -> None:
    verdict = judgement({"key": "{public_key}", "algorithm": "{algorithm}"}, keys=ABSENT)
    assert named(verdict) == []
    assert KEY not in str(verdict)
