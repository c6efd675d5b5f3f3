"""What connection strings of Redis, MongoDB and Oracle say in words of their own: encryption, and Oracle's names."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from tunneldoctor.config.database_parts import DEFAULT_PORTS, DatabaseUrl, hosts, take
from tunneldoctor.config.errors import BadUrl
from tunneldoctor.model import Tls

_YES, _NO = {"true", "1", "yes", "on", "t"}, {"false", "0", "no", "off", "none", "optional", "f"}
_THIN = "write jdbc:oracle:thin:@//host:1521/service"
_PLACE = re.compile(r"(?:(tcps?):)?(?://)?(\[[^]]*\]|[^/:?]+)(?::([^/:?]*))?(?:([/:])([^?]*))?(?:\?.*)?", re.IGNORECASE)


def _says(url: DatabaseUrl, answers: set[str], *names: str) -> bool:
    return any((url.said(name) or "").lower() in answers for name in names)


def _redis(url: DatabaseUrl) -> Tls:
    """``rediss://`` verifies issuer and name (redis-py, Lettuce), unless told otherwise."""
    if not _says(url, {"true"}, "tls"):
        return Tls("disable")
    mode, written = "verify-full", "rediss://"
    if _says(url, _NO, "ssl_cert_reqs", "verifyPeer"):
        mode, written = "require", "rediss:// with ssl_cert_reqs=none"
    elif _says(url, _NO, "ssl_check_hostname"):
        mode, written = "verify-ca", "rediss:// with ssl_check_hostname=false"
    return Tls(mode, written, url.said("ssl_ca_certs"), url.said("ssl_certfile"), _key(url))


def _key(url: DatabaseUrl) -> str | None:
    """The client's key: beside its certificate in one file, where no other is named."""
    return url.said("ssl_keyfile") or url.said("ssl_certfile")


def _mongodb(url: DatabaseUrl) -> Tls:
    """``tls=true`` verifies issuer and name, unless told otherwise (MongoDB manual, "Connection String Options")."""
    if not _says(url, _YES, "tls", "ssl"):
        return Tls("disable")
    mode, written = "verify-full", "tls=true"
    if _says(url, _YES, "tlsInsecure", "tlsAllowInvalidCertificates"):
        mode, written = "require", "tls=true with tlsAllowInvalidCertificates=true"
    elif _says(url, _YES, "tlsAllowInvalidHostnames"):
        mode, written = "verify-ca", "tls=true with tlsAllowInvalidHostnames=true"
    pair = url.said("tlsCertificateKeyFile")
    return Tls(mode, written, url.said("tlsCAFile"), pair, pair)


def _oracle(url: DatabaseUrl) -> Tls:
    """TCPS verifies the issuer; the name too, unless ``ssl_server_dn_match`` is off (python-oracledb, "TLS")."""
    if not _says(url, {"tcps"}, "protocol"):
        return Tls("disable")
    mode = "verify-ca" if _says(url, _NO, "ssl_server_dn_match") else "verify-full"
    return Tls(mode, "protocol=tcps")


TLS: dict[str, Callable[[DatabaseUrl], Tls]] = {"redis": _redis, "mongodb": _mongodb, "oracle": _oracle}


def oracle_name(url: DatabaseUrl) -> DatabaseUrl:
    """*url* with its service as the name; SQLAlchemy takes the path for a SID (dialects/oracle)."""
    service = take(url.options, "service_name")
    if service:
        url.name = service
    elif url.dialect == "sqlalchemy" and url.name:
        url.options["sid"] = url.name
    return url


def oracle_jdbc(rest: str) -> DatabaseUrl:
    """``@//host:port/service``, ``@host:port:SID``, ``@tcps://…`` (Oracle JDBC Developer's Guide, "Data Sources")."""
    userinfo, at, place = rest.rpartition("@")
    if not at or place.startswith("("):
        raise BadUrl("host", "it names no host and port after an @", _THIN)
    match = _PLACE.fullmatch(place)
    if match is None:
        raise BadUrl("host", "there is no host in it", _THIN)
    protocol, host, port, mark, name = match.groups()
    ((host, number),) = hosts([f"{host}:{port}" if port else host], DEFAULT_PORTS["oracle"])
    user, slash, password = userinfo.partition("/")
    options = {"protocol": protocol.lower()} if protocol else {}
    if mark == ":" and name:
        options["sid"] = name
    url = DatabaseUrl("oracle", "jdbc", host, number, user or None, options=options)
    url.password = unquote(password) if slash and password else None
    url.name = name or None
    return url
