#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The router of 2012 inside a guest. Arguments: NAME=VALUE
#   iodined=yes|no     a TUN dns0 by a real iodined that nobody reads, or by nobody
#   passive=yes|no     passive-interface dns0
#   daemon=frr|bird    who sends Hellos
#   seconds=N          how long to look at the most
# What it sees goes out in lines that begin with @; captures in base64.
set -eu
iodined=yes passive=no daemon=frr seconds=60 card=
for arg; do
	case $arg in iodined=* | passive=* | daemon=* | seconds=*) eval "$arg" ;; *)
		echo "no such argument: $arg" >&2
		exit 2 ;;
	esac
done
mkdir -p /run/frr /var/tmp/frr /run/bird /tmp/cap
chown frr:frr /run/frr /var/tmp/frr 2>/dev/null || true

ip netns add r2
ip link add v0 type veth peer name v1 netns r2
ip addr add 10.0.0.1/24 dev v0
ip link set v0 up
ip -n r2 addr add 10.0.0.2/24 dev v1
ip -n r2 link set v1 up
# The card, if the guest has one: the e100 that was suspected.
for dev in /sys/class/net/*; do
	[ -e "$dev/device/driver" ] || continue
	card=${dev##*/}
	echo "@card $card $(basename "$(readlink "$dev/device/driver")")"
	ip addr add 10.0.1.1/24 dev "$card"
	ip link set "$card" up
done
if [ "$iodined" = yes ]; then
	iodined -f -c -P pw -d dns0 -p 5353 172.29.198.129/28 t.example.org >/tmp/iodined 2>&1 &
	iodined_pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e /sys/class/net/dns0 ] && break
		sleep 1
	done
fi
links="v0 $card"
[ "$iodined" = no ] || links="$links dns0"
ip netns exec r2 tcpdump -n -U -i v1 -w /tmp/cap/r2-v1.pcap 'ip proto 89' >/dev/null 2>&1 &
for link in $links; do
	tcpdump -n -U -Q out -i "$link" -w "/tmp/cap/r1-$link.pcap" 'ip proto 89' >/dev/null 2>&1 &
done
sleep 1

frr() {
	for link in $links; do
		printf 'interface %s\n ip ospf dead-interval minimal hello-multiplier 10\n' "$link"
	done >/tmp/ospfd.conf
	{
		printf 'router ospf\n ospf router-id 1.1.1.1\n network 10.0.0.0/16 area 0\n network 172.29.198.128/28 area 0\n'
		[ "$passive" = no ] || echo ' passive-interface dns0'
	} >>/tmp/ospfd.conf
	: >/tmp/zebra.conf
	/usr/lib/frr/zebra -d -f /tmp/zebra.conf 2>/dev/null
	/usr/lib/frr/ospfd -d -f /tmp/ospfd.conf 2>/dev/null
	/usr/lib/frr/ospfd --version | head -n 1 | sed 's/^/@daemon /'
}
# The least Hello interval of BIRD is a second.
bird_() {
	stub=no
	[ "$passive" = no ] || stub=yes
	{
		printf 'router id 1.1.1.1;\nprotocol device { }\nprotocol ospf v2 o { area 0 {\n'
		for link in $links; do
			case $link in dns0) s=$stub ;; *) s=no ;; esac
			printf '  interface "%s" { type broadcast; hello 1; dead 4; stub %s; };\n' "$link" "$s"
		done
		echo '}; }'
	} >/tmp/bird.conf
	bird -c /tmp/bird.conf -s /run/bird/bird.ctl
	bird --version 2>&1 | head -n 1 | sed 's/^/@daemon /'
}
case $daemon in frr) frr && name=ospfd ;; *) bird_ && name=bird ;; esac
echo "@kernel $(uname -r)"
pid=$(pidof "$name" | awk '{print $1}')

# charges: of each raw socket of protocol 89 (0x59), as /proc/net/raw has them.
charges() {
	awk '$2 ~ /:0059$/ {split($5, q, ":"); print q[1]}' /proc/net/raw | while read -r hex; do
		printf ' %d' $((0x$hex))
	done
}
# count: packets in a capture, by its size: a header of 24 bytes, 16 and the
# packet each; all of one link are as long as its first.
count() { tcpdump -n -r "/tmp/cap/$1.pcap" 2>/dev/null | wc -l; }
look() {
	printf '@sample %s %s' "$(cut -d' ' -f1 /proc/uptime)" "$(awk '/VmRSS/ {print $2}' "/proc/$pid/status")"
	printf ' r2-v1=%s' "$(count r2-v1)"
	for link in $links; do printf ' r1-%s=%s' "$link" "$(count "r1-$link")"; done
	printf ' charges=%s\n' "$(charges | tr ' ' ,)"
}
# blame: what `skleak blame` says, on one line.
blame() { /init blame --pid "$pid" --json --for "$1" 2>/tmp/err | tr -d '\n' | sed "s/^/@blame $2 /"; echo; sed 's/^/blame: /' /tmp/err; }

/init watch --pid "$pid" --json --interval 500ms --alarm 50 >/tmp/watch 2>/tmp/watch.err &
watch=$!
silent=0 before=-1 i=0 alarm=
while [ $i -lt "$seconds" ] && [ $silent -lt 4 ]; do
	sleep 1
	i=$((i + 1))
	look
	if [ -z "$alarm" ] && ! kill -0 $watch 2>/dev/null; then
		alarm=$(cut -d' ' -f1 /proc/uptime)
		tail -n 1 /tmp/watch | sed "s/^/@watch $alarm /"
	fi
	[ $i -ne 8 ] || blame 3s before
	now=$(count r2-v1)
	if [ "$now" -gt 0 ] && [ "$now" -eq "$before" ]; then silent=$((silent + 1)); else silent=0; fi
	before=$now
done
kill $watch 2>/dev/null || true
grep -E 'sl|:0059' /proc/net/raw | sed 's/^/@raw /'
blame 2s after
timeout 2 strace -c -f -e trace=ppoll,poll,pselect6,select,epoll_wait,sendmsg -p "$pid" 2>&1 | awk '$NF ~ /poll|select|sendmsg/ {print "@calls", $NF, $4}' || true
if ping -c 3 -W 2 10.0.0.2 >/dev/null 2>&1; then echo '@ping answered'; else echo '@ping lost'; fi
if [ $silent -ge 4 ] && [ "$iodined" = yes ]; then
	echo "@cure $(cut -d' ' -f1 /proc/uptime)"
	kill "$iodined_pid"
	links=$(echo "$links" | sed 's/ *dns0//')
	sleep 3
	look
fi
for file in /tmp/cap/*.pcap; do
	echo "@file $(basename "$file") $(base64 -w 0 "$file")"
done
echo '@end'
