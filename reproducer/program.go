// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"skleak/harness/traffic"
	"skleak/scenarios"
)

// program is the C source: the sender with its packets, and what else the links
// want.
func (w *writer) program() (string, error) {
	table, err := w.table()
	if err != nil {
		return "", err
	}
	names := []string{"head"}
	for _, p := range []string{"tun", "macvtap", "packet"} {
		if w.programs[p] && !slices.Contains(names, "reader") {
			names = append(names, "reader")
		}
	}
	var helpers []string
	for _, p := range []string{"tun", "macvtap", "packet", "queue", "xdp"} {
		if w.programs[p] {
			helpers = append(helpers, p)
		}
	}
	var b strings.Builder
	for _, name := range slices.Concat(names, helpers, []string{"sender"}) {
		text, err := parts.ReadFile("parts/" + name + ".c")
		if err != nil {
			return "", err
		}
		b.WriteString(strings.ReplaceAll(string(text), "@TABLE@", table))
	}
	b.WriteString("\nint main(int argc, char **argv)\n{\n")
	for _, h := range helpers {
		fmt.Fprintf(&b, "\tif (argc > 2 && !strcmp(argv[1], \"%s\"))\n\t\treturn %s(argv + 2);\n", h, h)
	}
	b.WriteString("\tif (argc == 2 && !strcmp(argv[1], \"sender\"))\n\t\treturn sender();\n\treturn 2;\n}\n")
	return strings.TrimRight(b.String(), "\n"), nil
}

// table is the traffic as constants of C.
func (w *writer) table() (string, error) {
	t := w.sc.Traffic
	spec, err := traffic.Lookup(t.Packet)
	if err != nil {
		return "", err
	}
	var dst netip.Addr
	if t.To != "" {
		if dst, err = netip.ParseAddr(t.To); err != nil {
			return "", fmt.Errorf("traffic.to: %w", err)
		}
	}
	var b, data strings.Builder
	var p traffic.Packet
	for i, via := range t.Via {
		src := w.source(via)
		if p, err = traffic.Build(spec, src, dst, t.Size, t.Payload); err != nil {
			return "", err
		}
		source := ""
		if src.IsValid() {
			source = src.String()
		}
		bytes := content(t.Socket, p)
		fmt.Fprintf(&data, "static const uint8_t packet_%d[] = {%s\n};\n", i, hexTable(bytes))
		fmt.Fprintf(&b, "\t{ %q, %q, packet_%d, %d },\n", via, source, i, len(bytes))
	}
	tick, burst := int64(0), max(t.Burst, 1)
	if t.Rate > 0 {
		tick = int64(float64(burst) / t.Rate * float64(time.Second))
	}
	constants := []struct {
		name  string
		value any
	}{
		{"SOCKET", strings.ToUpper(strings.ReplaceAll(t.Socket, "-", "_"))},
		{"PROTOCOL", spec.Protocol},
		{"DESTINATION", fmt.Sprintf("%q", p.Destination)},
		{"PORT", p.Port()},
		{"TTL", spec.TTL},
		{"TOS", spec.TOS},
		{"ROUTER_ALERT", truth(spec.RouterAlert)},
		{"PKTINFO", truth(t.Interface == scenarios.InterfacePktInfo)},
		{"PER_LINK", truth(t.PerLink)},
		{"POLL_FIRST", truth(t.Style != scenarios.StyleSendFirst)},
		{"SNDBUF", t.SndBuf},
		{"COUNT", t.Count},
		{"DURATION_NS", t.Duration.Nanoseconds()},
		{"TICK_NS", tick},
		{"BURST", burst},
	}
	out := data.String() + "\nstatic const struct target targets[] = {\n" + b.String() + "};\n\n"
	for _, c := range constants {
		out += fmt.Sprintf("#define %s %v\n", c.name, c.value)
	}
	return strings.TrimRight(out, "\n"), nil
}

// content is what the kind of socket is handed.
func content(socket string, p traffic.Packet) []byte {
	switch socket {
	case scenarios.SocketRaw:
		return p.Body()
	case scenarios.SocketUDP:
		return p.UDP()
	default:
		return p.IP()
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// hexTable is bytes as C has them; one that is never sent stands for none, since
// a table may not be empty.
func hexTable(data []byte) string {
	if len(data) == 0 {
		data = []byte{0}
	}
	var b strings.Builder
	for i, c := range data {
		if i%12 == 0 {
			b.WriteString("\n\t")
		} else {
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "0x%02x,", c)
	}
	return b.String()
}

// source is the first IPv4 address of a link of the sender's namespace.
func (w *writer) source(link string) netip.Addr {
	for _, lk := range w.links {
		if lk.Netns != "" || lk.Name != link {
			continue
		}
		for _, a := range lk.Addresses {
			if p, err := netip.ParsePrefix(a); err == nil && p.Addr().Is4() {
				return p.Addr()
			}
		}
	}
	return netip.Addr{}
}
