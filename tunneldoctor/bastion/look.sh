# A look around on an SSH server: it only reads, writes nothing, and uses sudo only where that asks for no password.
# Each heading names the command that gave the lines below it. No password, no hash and no whole key is printed.
# shellcheck disable=SC2016,SC2034,SC2046,SC2086,SC2154 # commands are told, then run by eval; values come in front
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"; set -f
say() { printf '%s\n' "$1"; }
as=; [ "$(id -u)" = 0 ] || for s in 'sudo -n' 'doas -n'; do $s true 2>/dev/null && as=$s && break; done
case $from in \{*) from=; esac; case $key in \{*) key=; esac
blob=$(say "$key" | cut -s -d' ' -f2); piece=$(say "$blob" | cut -c41-64)
entry=$(getent passwd "$user" || grep "^$user:" /etc/passwd)
uid=$(say "$entry" | cut -d: -f3); home=$(say "$entry" | cut -d: -f6); shell=$(say "$entry" | cut -d: -f7)
show() { echo "=== $1"; cut -c1-4000 | awk '/^sudo: unable to resolve/ { next } NR <= 150 || /^status [0-9]+$/ { print "| " $0 }'; }
tell() { title=$1; shift; { "$@"; echo "status $?"; } 2>&1 | show "$title"; } # TITLE FUNCTION ARGUMENT...
look() { tell "$1: $2" eval "$2"; } # NAME COMMAND

# The sshd that listens on the port: among those that this shell descends from first, then among all.
ancestors() {
  p=$$; while [ "${p:-1}" -gt 1 ]; do
    tr '\0' ' ' < "/proc/$p/cmdline"; echo; p=$(sed 's/.*) [A-Z] \([0-9]*\) .*/\1/' "/proc/$p/stat")
  done
}
listeners() {
  { ancestors; ps -eo args || ps -o args; } 2>/dev/null |
    sed -n 's/^sshd: //; s/ \[listener\].*//; / -R/d; /^\/[^ ]*sshd *$/p; /^\/[^ ]*sshd /p' | head -n 20
}
effective() { # PROGRAM OPTION...: its settings for this very login; -G where host keys can't be read (OpenSSH 9.3)
  settings=; program=$1; options=; [ $# -gt 0 ] || return 0; shift
  while [ $# -gt 0 ]; do
    case $1 in -[fop]) options="$options $1 $2"; shift;; -[fop]*) options="$options $1"; esac; [ $# -eq 0 ] || shift
  done
  test="user=$user,host=${from:-0.0.0.0},addr=${from:-0.0.0.0},laddr=127.0.0.1,lport=$port"
  settings=$($as $program -T $options -C "$test" 2>&1) || settings=$($program -G $options -C "$test" 2>/dev/null) || settings=
}
listens() { say "$settings" | grep -qE "^(port $port|listenaddress .*:$port)$"; }
setting() { say "$settings" | sed -n "s/^$1 //p" | grep -vx none; }
IFS=$(printf '\nx'); IFS=${IFS%x}; for line in $(listeners); do unset IFS; effective $line; listens && break; done; unset IFS
listens || effective $(listeners | head -n 1)  # behind a port that is mapped to another
wanted='port|listenaddress|usepam|usedns|loglevel|strictmodes|chroot.*|authorized.*|pubkey.*|trusted.*|revoked.*|casig.*|required.*|rsamin.*'
wanted="$wanted|(allow|deny)(users|groups)|permitrootlogin|allowtcpforwarding|disableforwarding|permitopen|(max|per).*"

# sshd_config(5), TOKENS: a path with %h, %u or %U, or below the home folder.
files() { for f in "$@"; do say "$f"; done | sed "s|%h|$home|g; s|%u|$user|g; s|%U|$uid|g; s|^\([^/]\)|$home/\1|" | sort -u; }
walk() { # FILE: owners and modes of it and of every folder above, and who shares a group that may write
  d=$($as readlink -f "$1"); d=${d:-$1}; set --
  until [ "$d" = / ]; do set -- "$@" "$d"; d=$(dirname "$d"); done
  listed=$($as ls -ldn / "$@" 2>&1); say "$listed"
  for g in $(say "$listed" | awk '/^.....w/ { print $4 }' | sort -u); do
    say "group $g: $(getent group "$g" | cut -d: -f4) $(getent passwd | awk -F: -v g="$g" '$4 == g { print $1 }' | tr '\n' ' ')"
  done
}
keys() { # FILE: of its lines: number, whose, fingerprint, options; of foreign keys only the options' names
  text=$($as cat "$1") || return
  say "$text" | grep -vnE '^[[:space:]]*(#|$)' | awk -v p="${piece:-none}" 'NR <= 60 || index($0, p)' | while IFS=: read -r n line; do
    case $line in *"${blob:-none}"*) whose=ours;; *"${piece:-none}"*) whose=damaged;; *) whose=other; esac
    found=$(say "$line" | ssh-keygen -lf - 2>/dev/null) || found=unreadable
    limits=$(say "$line" | sed -E 's/(^|[[:space:]])(ssh-|ecdsa-|sk-)[^[:space:]]+[[:space:]]+AAAA.*//; s/(command|environment)="([^"\\]|\\.)*"/\1="..."/g')
    case $whose$found$limits in *unreadable*) limits=;; ours*|*cert-authority*) ;; *) limits=$(say "$limits" | sed 's/="[^"]*"/="..."/g'); esac
    echo "$n $whose $found options: $limits"
  done
}
log() { # what sshd logged about connections that name the user or the address
  { $as journalctl -q --no-pager -o short-iso -t sshd -t sshd-session --since -2d | tail -n 4000
    for f in /var/log/auth.log /var/log/secure /var/log/messages; do $as tail -n 4000 "$f"; done; } 2>/dev/null |
    U=$user A=$from awk '{ id = $0; if (sub(/^.*sshd(-session|-auth)?\[/, "", id) == 0) next; sub(/\].*/, "", id)
        line[NR] = $0; of[NR] = id; if (index($0 " ", " " ENVIRON["U"] " ") || ENVIRON["A"] ~ /./ && index($0, ENVIRON["A"])) of_us[id] = 1
        if ($0 ~ /drop connection|MaxStartups|refused connect|privilege separation/) of_us[id] = 1 }
      END { for (n = 1; n <= NR; n++) if (n in of && of[n] in of_us) print line[n] }' | tail -n 80
}
account() { say "$entry" | cut -d: -f1,3-; readlink -f "$home"; }
password() { # locked, none (no password will do) or set; in days since 1970: last change, longest life, the account's end
  $as grep "^$user:" /etc/shadow | awk -F: '{ c = substr($2, 1, 1)
    print "password " (c == "" ? "empty" : c == "\041" ? "locked" : c == "*" ? "none" : "set") " changed " $3 " maximum " $5 " expires " $8 }'
}

printf '%s\n' "symptom $symptom" "tunnel $tunnel" "host $host" "port $port" "user $user" "from $from" "key $key" \
  "algorithm $algorithm" "certificate $certificate" "database $database" "database_port $database_port" | show 'about: the tunnel'
look self 'id -un; date "+%s %Y-%m-%dT%H:%M:%S"; [ -z "$from" ] || getent hosts "$from"'
look id 'id "$user"'
tell 'account: getent passwd, without the password' account
tell 'shadow: /etc/shadow, without the hash' password
look shell 'ls -lLd "${shell:-/bin/sh}"'
look nologin 'ls -l /etc/nologin /run/nologin'
look sshd 'echo "$program $options"; echo "$(listeners | sort -u | wc -l) listening"; "$program" -V; ssh -V; say "$settings" | grep -E "^($wanted) " || say "$settings" | tail -n 3'
for f in $(files $(setting authorizedkeysfile) .ssh/authorized_keys .ssh/authorized_keys2); do
  tell "path $f: ls -ldn up to /" walk "$f"; tell "keys $f: ssh-keygen -lf - on each line" keys "$f"
done
for f in $(setting trustedusercakeys); do look "trusted $f" '$as ssh-keygen -lf "$f"'; done
for f in $(setting revokedkeys); do look "revoked $f" 'say "$key" | $as ssh-keygen -Q -f "$f" /dev/stdin; $as ssh-keygen -lf "$f"'; done
for f in $(setting authorizedprincipalsfile); do f=$(files "$f"); tell "path $f: ls -ldn up to /" walk "$f"; look "principals $f" '$as cat "$f"'; done
look selinux 'getenforce && $as ls -Zd "$home" "$home/.ssh" "$home/.ssh/authorized_keys"; $as ausearch -m AVC -ts recent -c sshd | tail -n 5'
tell 'log: journalctl -t sshd; tail /var/log/auth.log /var/log/secure /var/log/messages' log
look firewall '$as fail2ban-client status sshd; $as nft list ruleset | grep -E "drop|reject"; $as iptables -S | grep -E "DROP|REJECT"; grep -v "^#" /etc/hosts.deny'
echo '=== end'
