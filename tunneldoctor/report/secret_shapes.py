"""What secrets look like that nobody told us: keys, tokens, passwords where passwords stand, hashes of passwords.

Each shape is what its maker documents, or what its format's specification says. A shape is looked for only where one
of its anchors is in the text, so that an ordinary text costs a few searches for short strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PRIVATE_KEY, PASSWORD, TOKEN, CLOUD_KEY, HASH = "private key", "password", "token", "cloud key", "password hash"


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret. Where *pattern* has a group ``head``, that much of the match stays.

    One of *anchors*, in small letters, is in every text that *pattern* matches, whatever the case.
    """

    kind: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]


# RFC 7468 §2 and OpenSSH's PROTOCOL.key: what stands between the lines; also with its line breaks lost or written out
# (\n), with ssh.com's spelling, and cut short at either end. A mere mention of the lines has no body and stays.
_BREAK = r"(?:\s|\\[nr])"
_LINES = r"-{4,5} ?%s [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_BODY = r"[A-Za-z0-9+/]{16,}={0,2}"
_BEGIN, _END = _LINES % "BEGIN", _LINES % "END"
_KEY_BLOCK = re.compile(
    rf"{_BEGIN}(?=(?:(?!-{{4}} ?(?:BEGIN|END)).)*[A-Za-z0-9+/=]{{16}})"
    rf"(?:(?:(?!-{{4}} ?(?:BEGIN|END)).)*?{_END}|{_BREAK}*[A-Za-z0-9+/=]{{16,}}(?:{_BREAK}+[A-Za-z0-9+/=]+)*)"
    # the end alone, of a copy that began too late
    rf"|(?<![A-Za-z0-9+/=])(?:{_BODY}{_BREAK}++)++(?:[A-Za-z0-9+/]+={{0,2}}{_BREAK}+)?{_END}"
    # the same without its lines: "openssh-key-v1" and "-----BEGIN" in base64; the private half of a PuTTY file
    rf"|b3BlbnNzaC1rZXktdjE{_BODY}(?:{_BREAK}+{_BODY})*"
    rf"|LS0tLS1CRUdJTi{_BODY}(?:{_BREAK}+{_BODY})*"
    rf"|(?<=Private-Lines: )\d+(?:{_BREAK}+[A-Za-z0-9+/=]{{16,}})+"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{20,}",
    re.DOTALL,
)

# What stands for a password and is none: a reference of our own configuration, a variable of a shell, a word in
# brackets or capitals that says "password", asterisks, dots, whether there is one, and what this net leaves behind.
_STANDS_FOR = (
    r"(?:(?:file|env|keyring|agent):|\*+(?=[@\s;&'\"]|$)|…|\.\.\.|<[^>\s]*>|\$\w+(?=\W|$)|\$[{(]|%\w+%|\[removed: |"
    r"%s|(?:true|false|yes|no|none|null|YES|NO)(?=\W|$)|\{[a-z_]*(?:password|secret|token|passphrase)[a-z_]*\}|"
    r"[A-Z_]*(?:PASSWORD|PASSPHRASE|PASSWD|SECRET|TOKEN|XXX)[A-Z_]*(?=\W|$))"
)
# RFC 3986 §3.2.1; the password ends at the last @ before a blank, as people write @ and / in it unescaped. Digits up
# to a slash are a port.
_URL = re.compile(
    r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:]*:)(?!\d{1,5}(?:[/?#,;\s\"')]|$))"
    rf"(?!(?-i:{_STANDS_FOR})@?)(?:(?!://)\S)+(?=@)"
)
# The same with blanks in it, where no text of ours would have them: in the URL of a database.
_URL_WITH_BLANKS = re.compile(
    r"(?P<head>\b(?:postgres|postgresql|mysql|mariadb|sqlserver|mssql|mongodb|redis|rediss|amqp)[a-z0-9+]*://"
    rf"[^\s/@:]*:)(?!\d{{1,5}}\W)(?!{_STANDS_FOR})(?=\S* )(?:(?!://)[^\n]){{1,80}}?(?=@[\w.\[-]+[:/])"
)
_URL_ENCODED = re.compile(r"(?P<head>%3A%2F%2F[^%\s/]*%3A)(?!%2F)[^\s]+?(?=%40)", re.IGNORECASE)
# Oracle JDBC Developer's Guide, "Oracle-style JDBC URLs": jdbc:oracle:thin:USER/PASSWORD@…
_ORACLE = re.compile(r"(?P<head>\bjdbc:oracle:(?:thin|oci8?):[^/\s@]+/)(?!\[removed: )[^\s@]+(?=@)")

# Connection strings: libpq's (PostgreSQL manual, 34.1.1.1: quotes, backslashes), JDBC's, ODBC's ({…} with }} for }),
# the environment, JSON. An unquoted value ends at a blank or at what separates parameters.
_NAMES = (
    r"pass(?:word|wd|phrase|wort)|pwd|secret|token|api_?-?key|secret_?(?:access_?)?key|session_?token|"
    r"(?:shared)?access_?key|accountkey|private_?token|pgpassword|mysql_pwd"
)
_VALUE = r"(?:'(?:[^'\\\n]|\\.|'')*'|\"(?:[^\"\\\n]|\\.)*\"|\{(?:[^}\n]|\}\})*\}|(?:\\.|[^\s;&\"'])+)"
_NAMED = re.compile(
    rf"(?P<head>(?<![A-Za-z])[A-Za-z_.-]{{0,40}}?(?:{_NAMES})[\"']?\s{{0,3}}(?::=|=>|=(?!=))\s{{0,3}})"
    rf"(?!\\?['\"]?(?-i:{_STANDS_FOR}))(?!['\"]{{2}})(?!\{{\}}){_VALUE}",
    re.IGNORECASE,
)
# YAML, JSON and what people write. Without quotes only what no word is: MySQL says "using password: YES".
_LABELLED = re.compile(
    r"(?P<head>(?<![A-Za-z])(?!(?<=\\)password\s)"  # psql's \password
    rf"[A-Za-z_.-]{{0,40}}?(?:{_NAMES})(?:[\"']\s{{0,3}}:\s{{0,3}}(?=[\"'])|\s{{0,3}}:\s{{0,3}}))"
    rf"(?!\\?['\"]?(?-i:{_STANDS_FOR}))(?!['\"]{{2}})"
    r"(?:'(?=\S)(?:[^'\\\n]|\\.)+'|\"(?=\S)(?:[^\"\\\n]|\\.)+\"|(?=[^\s\"']*[A-Za-z])(?=[^\s\"']*[0-9])[^\s;&\"',]{6,})",
    re.IGNORECASE,
)
# PostgreSQL manual, 34.16: host:port:database:user:password, with \: and \\; the host has something that no part of an
# IPv6 address or of a time has.
_FIELD = r"(?:[^:\s\\]|\\.)+"
_PGPASS = re.compile(
    r"(?P<head>(?:^|(?<=[\s\"'`]))(?=[^:\s]*[G-Zg-z.*])(?:[^:\s\\/]|\\.)+:(?:\d{2,5}|\*):"
    r"(?!\d+:\d+:|(?:[0-9a-f]{2}:){3})"
    rf"{_FIELD}:{_FIELD}:)(?!\[removed: )(?=\S)(?!\*+$)[^\n]+",
    re.MULTILINE,
)
# RFC 9110 §11.6.2, RFC 6265, and what HashiCorp, Amazon and others call theirs.
_HEADER = re.compile(
    r"(?P<head>\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?|\b(?:set-)?cookie:\s*|"
    r"\bx-(?:api-key|auth-token|vault-token|amz-security-token)[\"']?\s*:\s*[\"']?)"
    r"(?!\[removed: )[^\s\"'][^\"'\r\n]*",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"(?P<head>\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*|"
    r"(?P<head2>\bbasic\s+)(?-i:(?=[A-Za-z0-9+/]*[0-9+/=]|[A-Za-z]+[A-Z]))[A-Za-z0-9+/]{10,}={0,2}",
    re.IGNORECASE,
)
# On command lines: mysql(1) and its kin (-pPASSWORD), sshpass(1), sqlcmd, redis-cli, curl(1), mongosh.
_COMMAND = re.compile(
    r"(?P<head>\b(?:mysql|mariadb)[a-z_-]*\b[^\n|;]{0,300}?\s-p|\bsshpass\b[^\n|;]{0,300}?\s-p\s*|"
    r"\b(?:sqlcmd|bcp)\b[^\n|;]{0,300}?\s-P\s*|\bredis-cli\b[^\n|;]{0,300}?\s(?:-a|--pass)\s+|"
    r"\bmongo(?:sh|dump|restore)?\b[^\n|;]{0,300}?\s(?:-p|--password)\s+|"
    r"\bcurl\b[^\n|;]{0,300}?\s(?:-u|--user)[ =]?['\"]?[^\s:'\"]+:)"
    rf"(?!['\"]?{_STANDS_FOR})(?!-)(?:'[^'\n]+'|\"[^\"\n]+\"|[^\s'\"]+)"
)
# netrc(5); CREATE USER and ALTER ROLE; redis.conf.
_STATED = re.compile(
    rf"(?P<head>\bmachine\s+\S+\s+login\s+\S+\s+password\s+|"
    rf"(?:^|\n|config\s+set\s+|--)(?:requirepass|masterauth)\s+)(?!{_STANDS_FOR})\S+(?=[\"'\]]*(?:\s*$|\s*\n))|"
    r"(?P<head2>\b(?:identified\s+(?:with\s+\S+\s+)?(?:by|as)|password)\s+')"
    rf"(?!(?-i:{_STANDS_FOR}))(?:[^'\n]|'')+(?=')",
    re.IGNORECASE,
)

# Prefixes as GitHub, GitLab, Slack, Stripe, Google, npm, PyPI, SendGrid, HashiCorp, DigitalOcean, Docker, and others,
# OpenAI, Hugging Face, Databricks, Atlassian, New Relic, Shopify and Tailscale document them.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|"
    r"gl(?:pat|ptt|dt|rt|rtr|cbt|ft|imt|agent|oas|soat|ffct)-[\w.-]{16,}|GR1348941[\w-]{16,}|"
    r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,}|xapp-\d-[\w-]{10,}|[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|"
    r"whsec_[\w+/=]{16,}|AIza[\w-]{30,}|ya29\.[\w.-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{20,}|npm_[A-Za-z0-9]{30,}|"
    r"pypi-AgE[\w-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|hv[sbr]\.[\w-]{20,}|do[opr]_v1_[0-9a-f]{32,}|dckr_pat_[\w-]{20,}|"
    r"sk-ant-[\w-]{20,}|sk-(?:proj-|svcacct-)?[\w-]{32,}|hf_[A-Za-z]{30,}|dapi[0-9a-f]{32}|ATATT3[\w=-]{30,}|"
    r"NRAK-[A-Z0-9]{20,}|shp(?:at|ca|pa|ss)_[0-9a-f]{32}|tskey-[a-z]+-[\w-]{16,}|"
    # RFC 7519: a JSON object in base64url, then at most four more parts; cut short too
    r"eyJ[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*){0,4})"
    r"|(?<=hooks\.slack\.com/)(?:services|workflows)/[\w/-]{16,}"
)
_TOKEN_ANCHORS = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glptt-", "gldt-", "glrt-", "glrtr-", "glcbt-",
    "glft-", "gr1348941", "glimt-", "glagent-", "gloas-", "glsoat-", "glffct-", "xox", "xapp-", "k_live_", "k_test_",
    "k_prod_",
    "whsec_", "aiza", "ya29.", "gocspx-", "1//0", "npm_", "pypi-age", "sg.", "hvs.", "hvb.", "hvr.", "_v1_",
    "dckr_pat_", "sk-", "hf_", "dapi", "atatt3", "nrak-", "shp", "tskey-", "eyj", "hooks.slack.com/",
)  # fmt: skip

# AWS IAM User Guide, "IAM identifiers", and the secret beside an access key; Signature Version 4 in a query, which is
# what an RDS login token is; Azure Storage, Service Bus and Entra ID.
_AWS_ID = r"(?<![A-Za-z0-9])(?-i:(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16})(?![A-Za-z0-9])"
_CLOUD = re.compile(
    rf"{_AWS_ID}(?:[\s\"',:;/|]{{1,4}}[A-Za-z0-9/+]{{40}}(?![A-Za-z0-9/+]))?"
    r"|(?P<head>\bX-Amz-(?:Signature|Security-Token|Credential)=)(?!\[removed: )[^&\s\"']+"
    r"|(?P<head2>\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)(?!\[removed: )[^;\s\"']+"
    r"|(?P<head3>[?&]sig=)[A-Za-z0-9%+/=_-]{16,}"
    r"|(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}"
    r"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==",
    re.IGNORECASE,
)
# PostgreSQL manual, 53.8 (pg_authid); MySQL's mysql_native_password and caching_sha2_password; crypt(5).
_HASHED = re.compile(
    r"SCRAM-SHA-(?:1|256)\$\d+:[A-Za-z0-9+/=]+(?:\$[A-Za-z0-9+/=:]+)?|(?<![A-Za-z0-9])md5[0-9a-f]{32}(?![0-9a-f])|"
    r"(?<![\w*])\*[0-9A-F]{40}(?![0-9A-F])|\$A\$\d{3}\$\S{20,}|"
    r"(?<![\w$])\$(?:1|5|6|7|y|gy|2[abxy]|argon2(?:id|i|d))\$[./A-Za-z0-9$=,+-]{12,}"
)

#: In the order in which they are looked for: what holds others comes first.
SHAPES = (
    Shape(PRIVATE_KEY, ("private", "b3blbnnz", "ls0tls1", "age-secret"), _KEY_BLOCK),
    Shape(PASSWORD, ("authorization", "cookie", "x-api-", "x-auth-", "x-vault-", "x-amz-"), _HEADER),
    Shape(TOKEN, _TOKEN_ANCHORS, _TOKEN),
    Shape(CLOUD_KEY, ("akia", "asia", "abia", "acca", "a3t", "x-amz-", "accountkey", "sharedaccess", "sig=", "q~",
                      "=="), _CLOUD),
    Shape(HASH, ("scram-sha-", "md5", "*", "$"), _HASHED),
    Shape(PASSWORD, ("://",), _URL),
    Shape(PASSWORD, ("://",), _URL_WITH_BLANKS),
    Shape(PASSWORD, ("%3a%2f%2f",), _URL_ENCODED),
    Shape(PASSWORD, ("jdbc:oracle",), _ORACLE),
    Shape(PASSWORD, ("mysql", "mariadb", "sshpass", "sqlcmd", "bcp", "redis-cli", "mongo", "curl"), _COMMAND),
    Shape(PASSWORD, ("pass", "pwd", "secret", "token", "key"), _NAMED),
    Shape(PASSWORD, ("pass", "pwd", "secret", "token", "key"), _LABELLED),
    Shape(PASSWORD, (":",), _PGPASS),
    Shape(PASSWORD, ("machine", "requirepass", "masterauth", "identified", "password"), _STATED),
    Shape(TOKEN, ("bearer", "basic"), _BEARER),
)  # fmt: skip
