# The way from an SSH server to a database: it only reads, writes nothing, and logs in nowhere.
# Each heading names the command that gave the lines below it.
# shellcheck disable=SC2016,SC2086,SC2154 # commands are told, then run by eval; options are words; values come in front
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"; set -f
say() { printf '%s\n' "$1"; }
case $from in \{*) from=; esac; case $engine in \{*) engine=; esac; case $presented in \{*) presented=; esac
case $name in ''|\{*) name=$database; esac
show() { echo "=== $1"; cut -c1-4000 | awk 'NR <= 150 || /^status [0-9]+$/ { print "| " $0 }'; }
tell() { title=$1; shift; { "$@"; echo "status $?"; } 2>&1 | show "$title"; } # TITLE FUNCTION ARGUMENT...
look() { tell "$1: $2" eval "$2"; } # NAME COMMAND
beside() { { t=$(tell "$@"); say "$t"; } & } # the same in the background; its lines stay together

# MySQL's servers count a connection that no login follows, and shut the bastion out after a hundred of them.
case $engine in postgresql) tls='-starttls postgres';; redis|mongodb|oracle) tls=' ';; *) tls=; esac
unbuffered=; if command -v stdbuf >/dev/null; then unbuffered='stdbuf -o0'; fi # openssl tells of a connection at once
case $name in *:*) sni=;; *[a-zA-Z]*) sni="-servername $name";; *) sni=; esac
handshake() { # ADDRESS:PORT: what openssl makes of the server there, and the certificate
  answer=$(timeout 3 $unbuffered openssl s_client $tls $sni -connect "$1" </dev/null 2>&1); ended=$?
  say "$answer" | grep -E '^(CONNECTED|New, |Verif|Didn)|errno|error:|handshake has read' | sort -u
  say "$answer" | openssl x509 -noout -subject -issuer -startdate -enddate -fingerprint -sha256 -ext subjectAltName 2>/dev/null
  return $ended
}
sizes() { # ADDRESS: how many of two packets of each size come back, where nobody on the way may cut them up
  way=$(ip route get "$1" | sed -n 's/.* dev \([^ ]*\).*/\1/p'); own=$(ip link show dev "$way" | sed -n 's/.* mtu \([0-9]*\).*/\1/p')
  [ -n "$own" ] || return
  case $1 in *:*) own=$((own - 48));; *) own=$((own - 28)); esac
  for s in 64 548 972 1172 1372 1472 8472 "$own"; do
    [ "$s" -gt "$own" ] || say "$s $(ping -c 2 -i 0.5 -W 1 -M 'do' -s "$s" "$1" 2>&1 | grep -E 'received|too (long|big)|needed' | tr '\n' ' ')" &
  done; wait
}

printf '%s\n' "symptom $symptom" "tunnel $tunnel" "host $host" "port $port" "user $user" "from $from" "engine $engine" \
  "database $database" "database_port $database_port" "name $name" "presented $presented" | show 'about: the tunnel'
look self 'id -un; date "+%s %Y-%m-%dT%H:%M:%S"'
look dns 'getent hosts "$database"'
addresses=$(getent ahosts "$database" | awk 'seen[$1]++ == 0 { print $1 }' | head -n 4); first=$(say "$addresses" | head -n 1)
look route 'ip route get "$first"'
case $symptom in
forward.*) if command -v bash >/dev/null; then look connect 'timeout 3 bash -c "exec 3<>/dev/tcp/\$0/\$1" "$database" "$database_port"'
  else look connect 'timeout 4 nc -v -w 3 "$database" "$database_port" >/dev/null'; fi;;
db.host-not-allowed) ;;
*) case $symptom in *-stalled) beside "sizes: ping -M do -s SIZE $first" sizes "$first"; esac
  if [ -n "$tls" ]; then for a in $addresses; do
    case $a in *:*) to="[$a]:$database_port";; *) to="$a:$database_port"; esac
    beside "tls $a: openssl s_client $tls $sni -connect $to" handshake "$to"
  done; fi; wait;;
esac
echo '=== end'
