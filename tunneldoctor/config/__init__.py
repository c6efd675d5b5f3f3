"""From a file, a URL or ssh_config to a Tunnel; references to secrets, and reading them."""

from tunneldoctor.config.configuration import Configuration, Overrides, load
from tunneldoctor.config.durations import duration
from tunneldoctor.config.errors import ConfigError
from tunneldoctor.config.keys import KEYS, option_name
from tunneldoctor.config.secrets import read_secret

__all__ = ["KEYS", "ConfigError", "Configuration", "Overrides", "duration", "load", "option_name", "read_secret"]
