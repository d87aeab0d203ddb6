#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# left-tapir.sh - run tapird for a judge of interoperability that describes a
# case in environment variables and pings over what comes up.
#
#   TAPIR=build left-tapir.sh            run tapird in the foreground
#   TAPIR=build left-tapir.sh ctl VERB   rekey-child | rekey-ike | down
#
# TAPIR           directory with tapird, tapir-secure and tapir
# RH_DIR          scratch directory of this end; configuration and keys go there
# RH_ROLE         initiator (we dial) or responder (we wait)
# RH_LOCAL_IP     our outer address, and RH_REMOTE_IP the peer's
# RH_LOCAL_ID     our identity, and RH_REMOTE_ID the peer's
# RH_LOCAL_TS     selectors in strongSwan's form, like 10.1.0.0/24,fd00::/64 or
#                 10.1.0.1/32[17/5000]; RH_REMOTE_TS those of the peer
# RH_AUTH         how we prove ourselves: psk, cert, eap-mschapv2, eap-ttls or
#                 eap-tls, and RH_RAUTH how the peer does: psk or cert
# RH_EAP_USER     our identity for EAP, and RH_EAP_PASS its password
# RH_PSK          the key, when it is psk
# RH_CERT RH_KEY  our certificate, with its chain, and its key
# RH_CA           authority of the peer's certificate
# RH_REVOCATION   strict, soft or off (default soft)
# RH_IKE          strongSwan's IKE proposal; decides between the two suites
# RH_MODE         tunnel (IP inside) or etherip
# RH_TAP          name of the TAP interface to make
# RH_VIP          no, or 0.0.0.0 and :: for an address of the peer's choice
# RH_PPK_ID       identity of a post-quantum pre-shared key, or empty; RH_PPK
#                 the key
# RH_CHILDLESS   yes: the first child SA in an exchange of its own
# RH_LOG          log level (default info)
#
# What this version cannot do ends with status 99 and a line that says so.
set -u
B=${TAPIR:?directory with tapird and tapir}
RUN=/run/tapir-judge # the judge gives each end a /run of its own

cannot() {
	echo "left-tapir: cannot do $* yet"
	exit 99
}

control() { # verb
	case $1 in
	rekey-child) exec "$B/tapir" --run-dir $RUN rekey judge/right child ;;
	rekey-ike) exec "$B/tapir" --run-dir $RUN rekey judge/right ike ;;
	down) exec "$B/tapir" --run-dir $RUN down judge/right ;;
	*) echo "left-tapir: no verb $1" >&2; exit 2 ;;
	esac
}

# Everything that is not AEAD is in the suite for old peers only.
suite_of() { # IKE proposal
	case $1 in
	default | *gcm* | *chacha*) echo 2026 ;;
	*) echo compat ;;
	esac
}

[ "${1:-}" = ctl ] && control "${2:-}"

case $RH_AUTH in psk | cert | eap-mschapv2 | eap-ttls | eap-tls) ;; *) cannot "authentication by $RH_AUTH" ;; esac
case $RH_RAUTH in psk | cert) ;; *) cannot "a peer that proves itself by $RH_RAUTH" ;; esac
case $RH_MODE in
tunnel) mode=ip ;;
etherip) mode=ether ;;
*) cannot "mode $RH_MODE" ;;
esac

umask 077
D=$RH_DIR/conf
mkdir -p "$D/keys"
me= peer=
if [ "$RH_AUTH" = psk ] || [ "$RH_RAUTH" = psk ]; then
	printf '%s' "$RH_PSK" >"$D/keys/judge.psk"
	me=' psk="judge.psk"'
fi
case $RH_AUTH in
eap-*) me=" eap=\"$RH_EAP_USER\"" ;;
esac
case $RH_AUTH in
eap-mschapv2 | eap-ttls) printf '%s' "$RH_EAP_PASS" >"$D/keys/$RH_EAP_USER.eap" ;;
esac
if [ "$RH_AUTH" = cert ] || [ "$RH_AUTH" = eap-tls ]; then
	cp "$RH_CERT" "$D/keys/left.pem"
	cp "$RH_KEY" "$D/keys/left.key"
	chmod 600 "$D/keys/left.key"
	me="$me cert=\"left.pem\""
fi
if [ "$RH_RAUTH" = cert ]; then
	cp "$RH_CA" "$D/keys/ca.pem"
	peer=" ca=\"ca.pem\" revocation=\"${RH_REVOCATION:-soft}\""
fi
if [ -n "${RH_PPK_ID:-}" ]; then
	printf '%s' "$RH_PPK" >"$D/keys/$RH_PPK_ID.ppk"
	peer="$peer ppk=\"$RH_PPK_ID\""
fi
local_ts=$RH_LOCAL_TS
[ "${RH_VIP:-no}" = no ] || local_ts=dynamic
at=
[ "$RH_ROLE" = initiator ] && at=" at=\"$RH_REMOTE_IP\" redirect=\"yes\""
cat >"$D/tapir.xml" <<X
<vpn log="${RH_LOG:-info}">
  <realm name="judge" mode="$mode" suite="$(suite_of "$RH_IKE")"
         tap="${RH_TAP:-tap0}" dpd="3" dead="6" childless="${RH_CHILDLESS:-no}">
    <me id="$RH_LOCAL_ID"$me/>
    <peer id="$RH_REMOTE_ID" name="right"$at$peer/>
    <net local="$local_ts" remote="$RH_REMOTE_TS"/>
  </realm>
</vpn>
X
exec "$B/tapird" --config "$D/tapir.xml" --run-dir $RUN --foreground --no-web
