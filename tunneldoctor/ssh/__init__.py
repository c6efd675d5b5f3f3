"""What the key, ssh, hostkey, auth and forward checks stand on: keys, certificates, known_hosts, the transport.

paramiko is loaded here, without ``invoke``: that is a third of its loading time (it brings asyncio and unittest) and
serves only ``Match exec`` of paramiko's ssh_config reader, which does without where it is not installed.
"""

import sys

_invoke = sys.modules.pop("invoke", None)
sys.modules["invoke"] = None  # type: ignore[assignment]  # makes "import invoke" raise ImportError
try:
    import paramiko as paramiko
finally:
    del sys.modules["invoke"]
    if _invoke is not None:
        sys.modules["invoke"] = _invoke
