"""What secrets look like in the wild: forty shapes, each as its maker documents it, made up anew from a seed.

Every one is put together from parts here, so that no line of this file looks like a secret to whoever scans for them.
"""

from __future__ import annotations

import json
import random
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
ODD = ALNUM + "!#$%&()*+,-./:<=>?@[]^_{|}~"
_BEGIN, _END = "-----BEGIN ", "-----END "


class Maker(random.Random):
    """Makes characters and texts from a seed."""

    def some(self, letters: str, number: int) -> str:
        """*number* of *letters*."""
        return "".join(self.choices(letters, k=number))

    def password(self) -> str:
        """One with letters and digits, as a person or a generator makes it."""
        return self.some(ALNUM, 8) + self.some(string.digits, 2) + self.some(string.ascii_letters, 3)

    def odd_password(self) -> str:
        """One with whatever a keyboard has, but nothing that would end it where people write it unescaped."""
        return self.some(string.ascii_letters, 3) + self.some(ODD.replace("?", "").replace("&", ""), 10) + "7z"

    def body(self, lines: int = 5) -> list[str]:
        """The lines of a key."""
        return [self.some(BASE64, 64) for _ in range(lines)]


@dataclass(frozen=True)
class Shape:
    """``make`` returns a text as it is met and the secret in it; ``source`` is where its form is documented."""

    name: str
    source: str
    make: Callable[[Maker], tuple[str, str]]


def pem(words: str, form: Callable[[list[str]], str] = "\n".join) -> Callable[[Maker], tuple[str, str]]:
    def make(maker: Maker) -> tuple[str, str]:
        body = maker.body()
        lines = [f"{_BEGIN}{words}PRIVATE KEY-----", *body, f"{_END}{words}PRIVATE KEY-----"]
        return "it read\n" + form(lines) + "\nand stopped", body[2][8:40]

    return make


def openssh_without_lines(maker: Maker) -> tuple[str, str]:
    body = b64encode(b"openssh-key-v1\0" + maker.randbytes(150)).decode()
    return f"key: {body}", body[60:100]


def putty(maker: Maker) -> tuple[str, str]:
    body = maker.body(2)
    return "Private-Lines: 2\n" + "\n".join(body) + "\nPrivate-MAC: " + maker.some("0123456789abcdef", 64), body[1][
        5:35
    ]


def prefixed(prefix: str, letters: str, number: int, around: str = "got {} back") -> Callable[[Maker], tuple[str, str]]:
    def make(maker: Maker) -> tuple[str, str]:
        secret = maker.some(letters, number)
        return around.format(prefix + secret), secret

    return make


def slack(maker: Maker) -> tuple[str, str]:
    secret = maker.some(ALNUM, 24)
    return f"xoxb-{maker.some(string.digits, 11)}-{maker.some(string.digits, 12)}-{secret} is wrong", secret


def slack_hook(maker: Maker) -> tuple[str, str]:
    secret = maker.some(ALNUM, 24)
    parts = f"T{maker.some(string.digits, 8)}/B{maker.some(string.digits, 8)}/{secret}"
    return f"POST https://hooks.slack.com/services/{parts} failed", secret


def jwt(maker: Maker) -> tuple[str, str]:
    head, claims = (
        urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=")
        for each in ({"alg": "HS256", "typ": "JWT"}, {"sub": maker.some(string.digits, 10), "name": "ann"})
    )
    sign = maker.some(ALNUM + "-_", 43)
    return f"token={head}.{claims}.{sign}", sign


def aws_secret(maker: Maker) -> tuple[str, str]:
    secret = maker.some(BASE64, 40)
    return f"aws_secret_access_key = {secret}", secret


def aws_pair(maker: Maker) -> tuple[str, str]:
    secret = maker.some(BASE64, 40)
    return f"AKIA{maker.some(string.ascii_uppercase + '234567', 16)}:{secret}", secret


def rds_token(maker: Maker) -> tuple[str, str]:
    secret = maker.some("0123456789abcdef", 64)
    query = "Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-Signature="
    return f"password authentication failed: db.example.com:3306/?{query}{secret}", secret


def azure_storage(maker: Maker) -> tuple[str, str]:
    secret = maker.some(BASE64, 86)
    return (
        f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={secret}==;EndpointSuffix=core.windows.net",
        secret,
    )


def azure_bare(maker: Maker) -> tuple[str, str]:
    secret = maker.some(BASE64, 86)
    return f"the key is {secret}== and it is refused", secret


def azure_sas(maker: Maker) -> tuple[str, str]:
    secret = quote(maker.some(BASE64, 43) + "=", safe="")
    return f"https://acme.blob.core.windows.net/c/b?sv=2022-11-02&sr=b&sig={secret}&se=2026-01-01", secret


def azure_client(maker: Maker) -> tuple[str, str]:
    secret = maker.some(ALNUM + "_.-~", 33) + "a"
    return f"AADSTS7000215: {maker.some(ALNUM, 3)}8Q~{secret}", secret


def url(scheme: str, password: Callable[[Maker], str]) -> Callable[[Maker], tuple[str, str]]:
    def make(maker: Maker) -> tuple[str, str]:
        secret = password(maker)
        return f"could not connect to {scheme}://app:{secret}@db.example.com:5432/orders today", secret

    return make


def with_blanks(maker: Maker) -> str:
    return f"{maker.some(ALNUM, 6)} {maker.some(ALNUM, 7)}"


def encoded_url(maker: Maker) -> tuple[str, str]:
    secret = maker.password()
    return "next=" + quote(f"postgresql://app:{secret}@db.example.com/orders", safe=""), secret


def oracle(maker: Maker) -> tuple[str, str]:
    secret = maker.password()
    return f"jdbc:oracle:thin:app/{secret}@//db.example.com:1521/ORCL", secret


def named(text: str, password: Callable[[Maker], str] = Maker.password) -> Callable[[Maker], tuple[str, str]]:
    def make(maker: Maker) -> tuple[str, str]:
        secret = password(maker)
        return text.replace("%%", secret), secret

    return make


def quoted_libpq(maker: Maker) -> tuple[str, str]:
    secret = maker.some(ALNUM, 9)
    return rf"host=db password='a \' b {secret} ' dbname=orders", secret


def odbc(maker: Maker) -> tuple[str, str]:
    secret = maker.some(ALNUM, 9)
    return f"Driver={{ODBC Driver 18}};Server=db;UID=sa;PWD={{a;b}}}} {secret};}};Encrypt=yes", secret


def basic(maker: Maker) -> tuple[str, str]:
    secret = b64encode(f"app:{maker.password()}".encode()).decode()
    return f"Authorization: Basic {secret}", secret


def scram(maker: Maker) -> tuple[str, str]:
    secret = maker.some(BASE64, 43)
    return f"rolpassword SCRAM-SHA-256$4096:{maker.some(BASE64, 22)}==${secret}=:{maker.some(BASE64, 43)}=", secret


def hashed(prefix: str, letters: str, number: int) -> Callable[[Maker], tuple[str, str]]:
    return prefixed(prefix, letters, number, "authentication_string {} for app")


_PG, _MY = "https://www.postgresql.org/docs/17/", "https://dev.mysql.com/doc/refman/8.4/en/"
_GOOGLE, _VAULT = "https://cloud.google.com/docs/authentication/", "https://developer.hashicorp.com/vault/docs/"
_GITHUB = "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/"
_AWS, _AZURE = "https://docs.aws.amazon.com/", "https://learn.microsoft.com/"
_STORAGE = _AZURE + "azure/storage/common/storage-"

SHAPES = (
    Shape("OpenSSH key", "OpenSSH PROTOCOL.key", pem("OPENSSH ")),
    Shape("PKCS#8 key", "RFC 7468 §10", pem("")),
    Shape("RSA key on one line", "RFC 7468 §2", pem("RSA ", " ".join)),
    Shape("EC key with its line breaks written out", "RFC 5915", pem("EC ", "\\n".join)),
    Shape("key cut at its end", "RFC 7468 §2", pem("ENCRYPTED ", lambda lines: "\n".join(lines[:4])[:-9])),
    Shape("key cut at its beginning", "RFC 7468 §2", pem("DSA ", lambda lines: "\n".join(lines[1:]))),
    Shape("OpenSSH key without its lines", "OpenSSH PROTOCOL.key", openssh_without_lines),
    Shape("PuTTY key", "PuTTY manual, appendix C", putty),
    Shape("GitHub token", _GITHUB, prefixed("gh" + "p_", ALNUM, 36)),
    Shape("GitHub fine-grained token", _GITHUB, prefixed("github" + "_pat_", ALNUM + "_", 82)),
    Shape("GitLab token", "https://docs.gitlab.com/security/tokens/", prefixed("gl" + "pat-", ALNUM + "-_", 20)),
    Shape("Slack token", "https://docs.slack.dev/authentication/tokens", slack),
    Shape("Slack hook", "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks", slack_hook),
    Shape("Stripe key", "https://docs.stripe.com/keys", prefixed("sk" + "_live_", ALNUM, 24)),
    Shape("Google API key", _GOOGLE + "api-keys", prefixed("AI" + "za", ALNUM + "-_", 35)),
    Shape("Google access token", _GOOGLE + "token-types", prefixed("ya" + "29.", ALNUM, 60)),
    Shape("Vault token", _VAULT + "concepts/tokens", prefixed("hv" + "s.", ALNUM, 24)),
    Shape("npm token", "https://docs.npmjs.com/about-access-tokens", prefixed("np" + "m_", ALNUM, 36)),
    Shape("JWT", "RFC 7519", jwt),
    Shape("AWS secret key", _AWS + "IAM/latest/UserGuide/id_credentials_access-keys.html", aws_secret),
    Shape("AWS key pair", _AWS + "IAM/latest/UserGuide/reference_identifiers.html", aws_pair),
    Shape("RDS login token", _AWS + "AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html", rds_token),
    Shape("Azure connection string", _STORAGE + "configure-connection-string", azure_storage),
    Shape("Azure storage key alone", _STORAGE + "account-keys-manage", azure_bare),
    Shape("Azure SAS", _STORAGE + "sas-overview", azure_sas),
    Shape("Entra client secret", _AZURE + "purview/sit-defn-client-secret-api-key", azure_client),
    Shape("URL", "RFC 3986 §3.2.1", url("postgresql", Maker.password)),
    Shape("URL with an odd password", _PG + "libpq-connect.html", url("mysql+pymysql", Maker.odd_password)),
    Shape("URL with blanks in its password", _PG + "libpq-connect.html", url("postgresql", with_blanks)),
    Shape("URL within a URL", "RFC 3986 §2.1", encoded_url),
    Shape("Oracle JDBC URL", "Oracle Database JDBC Developer's Guide", oracle),
    Shape("pgpass", _PG + "libpq-pgpass.html", named("db.example.com:5432:orders:app:%%", Maker.odd_password)),
    Shape("libpq string", _PG + "libpq-connect.html", named("host=db user=app password=%% sslmode=require")),
    Shape("quoted libpq string", _PG + "libpq-connect.html", quoted_libpq),
    Shape("JDBC URL", "https://jdbc.postgresql.org/documentation/use/", named("jdbc:postgresql://db/x?user=app&password=%%&ssl=true")),
    Shape("ODBC string", _AZURE + "sql/connect/odbc/dsn-connection-string-attribute", odbc),
    Shape("environment", _PG + "libpq-envars.html", named("env PGPASSWORD=%% psql", Maker.password)),
    Shape("JSON", "RFC 8259", named('{"user": "app", "password": "%%"}', Maker.password)),
    Shape("Basic header", "RFC 7617", basic),
    Shape("Bearer header", "RFC 6750", prefixed("", ALNUM + "-._~", 40, "Authorization: Bearer {}")),
    Shape("mysql -p", _MY + "password-security-user.html", named("mysql -h db -u app -p%% orders", Maker.password)),
    Shape("netrc", "netrc(5)", named("machine db.example.com login app password %%")),
    Shape("SCRAM verifier", _PG + "catalog-pg-authid.html", scram),
    Shape("md5 verifier", _PG + "catalog-pg-authid.html", hashed("md5", "0123456789abcdef", 32)),
    Shape("MySQL hash", _MY + "native-pluggable-authentication.html", hashed("*", "0123456789ABCDEF", 40)),
    Shape("shadow line", "crypt(5)", prefixed("$6$saltsalt$", ALNUM + "./", 86, "tunnel:{}:19000:0:99999:7:::")),
)  # fmt: skip


def corpus(number: int, seed: int = 20261122) -> Iterator[tuple[Shape, str, str]]:
    """*number* secrets of all shapes in turn: the shape, a text as it is met, the secret in it."""
    maker = Maker(seed)
    for index in range(number):
        shape = SHAPES[index % len(SHAPES)]
        yield shape, *shape.make(maker)
