"""The keywords of ssh_config(5), by what becomes of them here. A keyword of none of these sets is no keyword to ssh.

OpenSSH 10.x, readconf.c (keywords[]), with the patches that Debian and macOS ship.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Their values are used, each as ``ssh`` would.
HONOURED = _words(
    """
    addressfamily canonicaldomains canonicalizehostname canonicalizemaxdots certificatefile clearallforwardings
    connecttimeout gatewayports globalknownhostsfile host hostkeyalias hostname identitiesonly identityagent
    identityfile ignoreunknown include localforward match passwordauthentication port preferredauthentications
    proxycommand proxyjump pubkeyauthentication serveraliveinterval user userknownhostsfile
    """
)

#: What they ask for is not done here, and said: ``config.ssh-config-unsupported``.
NAMED = _words(
    """
    bindaddress bindinterface hostbasedauthentication knownhostscommand nohostauthenticationforlocalhost pkcs11provider
    revokedhostkeys stricthostkeychecking verifyhostkeydns
    """
)

#: They change nothing about whether the tunnel works: a terminal, other forwards, logging, what an agent learns. Lists
#: of algorithms are here because what was negotiated, or could not be, is reported where it happens.
HARMLESS = _words(
    """
    addkeystoagent batchmode canonicalizefallbacklocal canonicalizepermittedcnames casignaturealgorithms
    channeltimeout checkhostip ciphers compression connectionattempts controlmaster controlpath controlpersist
    dynamicforward enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fingerprinthash
    forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gssapiauthentication
    gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
    gssapiserveridentity gssapitrustdns hashknownhosts hostbasedacceptedalgorithms hostkeyalgorithms ipqos
    kbdinteractiveauthentication kbdinteractivedevices kexalgorithms localcommand loglevel logverbose macs
    numberofpasswordprompts obscurekeystroketiming permitlocalcommand permitremoteopen proxyusefdpass
    pubkeyacceptedalgorithms refuseconnection rekeylimit remotecommand remoteforward requesttty requiredrsasize
    securitykeyprovider sendenv serveralivecountmax sessiontype setenv stdinnull streamlocalbindmask
    streamlocalbindunlink syslogfacility tag tcpkeepalive tunnel tunneldevice updatehostkeys usekeychain
    versionaddendum visualhostkey warnweakcrypto xauthlocation
    """
)

#: Older names (readconf.c).
ALIASES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
    "hostbasedkeytypes": "hostbasedacceptedalgorithms",
    "identityfile2": "identityfile",
    "keepalive": "tcpkeepalive",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "skeyauthentication": "kbdinteractiveauthentication",
    "smartcarddevice": "pkcs11provider",
    "tisauthentication": "kbdinteractiveauthentication",
}

#: ssh warns, or says nothing, and goes on (readconf.c: oDeprecated, oUnsupported).
DEPRECATED = _words(
    """
    afstokenpassing cipher compressionlevel fallbacktorsh globalknownhostsfile2 kerberosauthentication
    kerberostgtpassing protocol rhostsauthentication rhostsrsaauthentication rsaauthentication useblacklistedkeys
    useprivilegedport useroaming usersh userknownhostsfile2
    """
)

KNOWN = HONOURED | NAMED | HARMLESS | DEPRECATED | ALIASES.keys()
