"""What encryption a connection string asks for, in libpq's words.

Where it asks for nothing, the mode is the driver's own default.
"""

from tunneldoctor.config import other_databases
from tunneldoctor.config.database_parts import DatabaseUrl
from tunneldoctor.config.errors import BadUrl
from tunneldoctor.model import Tls, visible

NONE = Tls("disable")

_LIBPQ = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# sslMode of Connector/J and --ssl-mode of the mysql client, sslMode of MariaDB Connector/J, tls of Go's driver.
_MYSQL = {
    "disabled": "disable",
    "preferred": "prefer",
    "required": "require",
    "verify_ca": "verify-ca",
    "verify_identity": "verify-full",
    "disable": "disable",
    "trust": "require",
    "verify-ca": "verify-ca",
    "verify-full": "verify-full",
    "true": "verify-full",
    "skip-verify": "require",
    "false": "disable",
}
_YES = {"true", "1", "yes", "on", "mandatory", "t"}
_NO = {"false", "0", "no", "off", "optional", "f"}


def wanted(url: DatabaseUrl) -> Tls:
    """The encryption that *url* asks for. Raises BadUrl where a mode is none of those that its client knows."""
    if url.engine == "postgresql":
        return _postgresql(url)
    if url.engine == "sqlserver":
        return _sqlserver(url)
    if url.engine in other_databases.TLS:
        return other_databases.TLS[url.engine](url)
    return _mysql(url)


def _postgresql(url: DatabaseUrl) -> Tls:
    mode, written = _postgresql_mode(url)
    root = url.said("sslrootcert")
    if root == "system" and not written:  # libpq 16 and later: system roots imply verify-full
        mode = "verify-full"
    if root == "system" and mode != "verify-full" and url.client.is_libpq:  # fe-connect.c, pqConnectOptions2
        why = f"sslmode={mode} is too weak for sslrootcert=system, which no client takes with it"
        raise BadUrl("query", why, "write sslmode=verify-full")
    return Tls(mode, written, root, url.said("sslcert"), url.said("sslkey"))


def _postgresql_mode(url: DatabaseUrl) -> tuple[str, str]:
    name, value = url.option("sslmode") or ("", "")
    if name:
        said = url.named(name)
        if url.client.is_libpq and value not in _LIBPQ:  # it compares byte by byte, and so does asyncpg
            raise _unknown(said, value, ", ".join(_LIBPQ))
        return _mode(said, value, {mode: mode for mode in _LIBPQ}, ", ".join(_LIBPQ)), f"{name}={value}"
    name, value = url.option("ssl") or ("", "")
    lower = value.lower()
    if url.dialect == "jdbc":
        return _pgjdbc_mode(url, name, lower)
    if lower in _LIBPQ:  # asyncpg
        return lower, f"{name}={lower}"
    # libpq takes ssl=true of a URI as sslmode=require, for JDBC's sake (fe-connect.c, conninfo_uri_parse_params).
    return ("require", f"{name}={lower}") if lower == "true" else ("prefer", "")


def _pgjdbc_mode(url: DatabaseUrl, name: str, value: str) -> tuple[str, str]:
    """org.postgresql.jdbc.SslMode.of: ``ssl``, even empty, means verify-full; nothing means prefer."""
    if not name or value not in {"true", ""}:
        return "prefer", f"{name}={value}" if name and value in _NO else ""
    if "NonValidatingFactory" in (url.said("sslfactory") or ""):
        return "require", f"{name}=true with NonValidatingFactory"
    return "verify-full", f"{name}=true"


def _mysql(url: DatabaseUrl) -> Tls:
    mode, written = _mysql_mode(url)
    root = url.said("ssl-ca", "serverSslCert")
    if not written and root and url.dialect == "sqlalchemy":
        mode, written = _python_mode(url)
    return Tls(mode, written, root, url.said("ssl-cert"), url.said("ssl-key"))


def _python_mode(url: DatabaseUrl) -> tuple[str, str]:
    """PyMySQL and its kin verify as soon as an authority is given, the name only where asked to."""
    named = (url.said("ssl_check_hostname", "ssl_verify_identity") or "").lower() in _YES
    return ("verify-full", "ssl_ca and ssl_check_hostname") if named else ("verify-ca", "ssl_ca")


def _mysql_mode(url: DatabaseUrl) -> tuple[str, str]:
    name, value = url.option("sslMode") or url.option("tls") or ("", "")
    if name:
        modes = "DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY"
        return _mode(name, value, _MYSQL | {mode: mode for mode in _LIBPQ}, modes), f"{name}={value}"
    name, value = url.option("useSSL") or ("", "")
    mariadb_driver = url.engine == "mariadb" and url.dialect == "jdbc"
    if value.lower() in _NO:
        return "disable", f"{name}={value.lower()}"
    if value.lower() in _YES:
        return _legacy_mode(url, mariadb_driver), f"{name}={value.lower()}"
    # MariaDB Connector/J sends everything in clear unless told otherwise; all others prefer TLS.
    return ("disable" if mariadb_driver else "prefer"), ""


def _legacy_mode(url: DatabaseUrl, mariadb_driver: bool) -> str:
    """What ``useSSL=true`` means, with its companions (Connector/J Developer Guide, 6.3.5)."""
    if mariadb_driver:
        return "require" if (url.said("trustServerCertificate") or "").lower() in _YES else "verify-full"
    if (url.said("verifyServerCertificate") or "").lower() in _YES:
        return "verify-ca"
    return "require" if (url.said("requireSSL") or "").lower() in _YES else "prefer"


def _sqlserver(url: DatabaseUrl) -> Tls:
    """Encryption is on and the certificate verified since JDBC driver 10.2 and ODBC driver 18; others prefer."""
    name, value = url.option("encrypt") or ("", "")
    lower = value.lower()
    trusting = (url.said("trustServerCertificate") or "").lower() in _YES
    root, server = url.said("certificate", "serverCertificate"), url.said("hostNameInCertificate")
    if lower in _YES or lower == "strict" or (not name and _strict_by_default(url)):
        mode = "require" if trusting and lower != "strict" else "verify-full"
    elif lower in _NO:
        mode = "allow"  # the login alone is encrypted, the rest where the server insists
    elif name and lower == "disable":
        mode = "disable"
    elif name:
        raise _unknown(name, value, "true, false or strict")
    else:
        mode = "prefer"
    written = f"{name}={lower}" if name else ""
    if trusting:
        written = f"{written} trustServerCertificate=true".strip()
    return Tls(mode, written, root, server_name=server)


def _strict_by_default(url: DatabaseUrl) -> bool:
    old_odbc = "17" in (url.said("driver") or "")
    return url.dialect == "jdbc" or (url.driver in {"pyodbc", "aioodbc"} and not old_odbc)


def _mode(name: str, value: str, modes: dict[str, str], known: str) -> str:
    mode = modes.get(value.lower())
    if mode is None:
        raise _unknown(name, value, known)
    return mode


def _unknown(name: str, value: str, known: str) -> BadUrl:
    # Shown only where it looks like a mode: anything else may be a piece of a password.
    shown = visible(value) if value.replace("-", "").replace("_", "").isalpha() and len(value) < 20 else "what it says"
    return BadUrl("query", f"{name}: {shown} is no mode that is known", f"write one of {known}")
