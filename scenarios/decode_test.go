// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

const (
	veth = "{name: v0, kind: veth, peer: {name: v1}}"
	tail = "    expect: clean\n"
)

// withLinks is a file with one scenario of the given links.
func withLinks(links ...string) string {
	return "scenarios:\n  - name: a/b\n    links:\n      - " + strings.Join(links, "\n      - ") + "\n" + tail
}

// withTraffic is a file with one scenario and the given keys of its traffic.
func withTraffic(keys string) string {
	return "scenarios:\n  - name: a/b\n    links:\n      - " + veth + "\n    traffic: {" + keys + "}\n" + tail
}

// withKey is a file with one scenario and one more line in it.
func withKey(line string) string { return withLinks(veth) + "    " + line + "\n" }

// badInput is a file and the error it must give, without the file's name.
type badInput struct{ name, file, want string }

func badInputs() []badInput {
	deep := strings.Repeat("[", 100_000)
	return append(append(badTexts(deep), badLinks()...), badTraffic()...)
}

func badTexts(deep string) []badInput {
	return []badInput{
		{"empty", "", "1:1: no scenarios: the file is empty; begin with"},
		{"comment", "# nothing\n", "1:1: no scenarios: the file is empty"},
		{"null", "~\n", "1:1: no scenarios"},
		{"no list", "scenarios:\n", "1:12: scenarios: no value"},
		{"empty list", "scenarios: []\n", "no scenarios; begin with"},
		{"a word", "hello\n", "1:1: a single value where a mapping belongs"},
		{"a list", "- name: a/b\n", "a list where a mapping belongs"},
		{"unknown top key", "scenario: []\n", `1:1: scenario: unknown key "scenario"; did you mean scenarios?`},
		{"broken", "scenarios:\n  - name: [a\n", "2:11: broken YAML: sequence end token ']' not found; mend"},
		{"tab", "scenarios:\n\t- name: a\n", "2:1: a tab; use spaces"},
		{"empty lines", "a: |\n" + strings.Repeat("\n", 500_000), "66:1: more than 64 empty lines; take some out"},
		{"binary", "\x7fELF\x02\x01\x00", "1:1: bytes that are no text; give a YAML file"},
		{"binary later", "scenarios:\n  - \xff", "2:5: bytes that are no text"},
		{"two documents", withLinks(veth) + "---\n" + withLinks(veth), "7:1: a second document; put its scenarios"},
		{"too long", strings.Repeat("#", MaxFileBytes+1), "1:1: longer than 1048576 bytes; split the file"},
		{"deep brackets", deep, "1:33: nested deeper than 32; nest less"},
		{"deep dashes", strings.Repeat("- ", 100_000), "nested deeper than 32"},
		{"deep anchors", strings.Repeat("&a ", 100_000), "nested deeper than 32"},
		{"deep lines", "a:\n" + strings.Repeat(" ", 300) + "b: c\n", "2:301: indented by more than 200"},
		{"bomb", bomb(), "a list where"},
		{"wide bomb", wideBomb(), "more than 200000 values; use fewer aliases"},
		{"alias of nothing", "scenarios: *a\n", `alias of an anchor "a" that is not there`},
		{"alias of itself", "scenarios: &a [*a]\n", "a list where a mapping belongs"},
		{"tag", "scenarios: !!binary aGk=\n", "1:12: scenarios: a tag; leave the tag out"},
		{"two of a name", withLinks(veth) + strings.TrimPrefix(withLinks(veth), "scenarios:\n"), "6:11: name: a second scenario a/b; name it otherwise"},
		{"name", strings.Replace(withLinks(veth), "a/b", "Ab", 1), `2:11: name: scenario name "Ab"; write family/case`},
		{"no name", "scenarios:\n  - expect: clean\n", "2:5: name: a scenario without a name"},
		{"no expect", strings.TrimSuffix(withLinks(veth), tail), "2:5: expect: nothing is expected; say what a sound kernel shows"},
		{"expect", strings.Replace(withLinks(veth), "clean", "cleam", 1), `5:13: expect: unknown verdict "cleam"; did you mean clean?`},
		{"key twice", withKey("expect: held"), "already defined"},
		{"about", withKey(`about: "a\nb"`), "about: more than one line"},
		{"known", withKey("known: {verdict: leaked, holder: x, cve: 7}"), `known.cve: "7" is no CVE number`},
		{"known without a holder", withKey("known: {verdict: leaked, kernels: 6.1}"), `known.holder: a known defect that holds, and no holder; name who holds`},
		{"known pattern", withKey(`known: {verdict: leaked, holder: "[", kernels: 6.1}`), `known.holder: "[" is no pattern`},
		{"known of no kernels", withKey("known: {verdict: leaked, holder: x}"), `known: a known defect of no kernels; give fixed_in:`},
		{"known fix", withKey("known: {verdict: leaked, holder: x, fixed_in: [7.3-rc7, v6.1]}"), `known.fixed_in[1]: "v6.1": it is no release of kernel.org`},
		{"known series", withKey("known: {verdict: leaked, holder: x, kernels: 6.1.4}"), `known.kernels[0]: "6.1.4": a series has two numbers`},
		{"known range", withKey("known: {verdict: leaked, holder: x, kernels: 7.3..6.1}"), `known.kernels[0]: "7.3..6.1": the range ends before it begins`},
		{"patience", withKey("patience: 5"), `6:15: patience: "5": it is no duration; write a duration like 500ms`},
		{"control", withKey("control: hold"), `control: unknown kind of control "hold"; did you mean must-hold, must-not-hold?`},
		{"control that shows nothing", withKey("control: must-hold"), `shows: a control that must hold, and not what it must show; give holder and released_by`},
		{"shows half", withKey("control: must-hold\n    shows: {holder: x}"), `shows: no holder, or no rung; give both`},
		{"shows of the other kind", withKey("control: must-not-hold\n    shows: {holder: x, released_by: y}"), `shows: a control that must not hold has nothing to show`},
		{"shows passes", withKey("shows: {holder: x, released_by: y, passes: 3001}"), `shows.passes: 3001 packets pass of 3000`},
		{"lasting", withKey("lasting: maybe"), `lasting: "maybe": it is neither true nor false; write true or false`},
	}
}

func badLinks() []badInput {
	return []badInput{
		{"no kind", withLinks("{name: v0}"), "4:9: links[0]: link without a kind; add a key kind"},
		{"kind", withLinks("{name: v0, kind: vhet}"), `4:26: links[0].kind: unknown kind of link "vhet"; did you mean veth?`},
		{"key", withLinks("{name: v0, kind: vlan, partent: x}"), `4:32: links[0].partent: unknown key "partent"; did you mean parent?`},
		{"other kind's key", withLinks("{name: v0, kind: dummy, remote: x}"), `unknown key "remote"`},
		{"long name", withLinks("{name: sixteen-letters-, kind: dummy}"), `4:16: links[0].name: link name "sixteen-letters-" is 16 characters long; use 1 to 15`},
		{"empty name", withLinks(`{name: "", kind: dummy}`), "4:16: links[0].name: a link without a name"},
		{"slash", withLinks("{name: a/b, kind: dummy}"), `link name "a/b"`},
		{"space", withLinks("{name: a b, kind: dummy}"), `link name "a b"`},
		{"mtu", withLinks("{name: v0, kind: dummy, mtu: 67}"), `4:38: links[0].mtu: "67": it is under 68`},
		{"mtu zero", withLinks("{name: v0, kind: dummy, mtu: 0}"), "it is under 68"},
		{"mtu over", withLinks("{name: v0, kind: dummy, mtu: 65536}"), "links[0].mtu: mtu of 65536; give 68 to 65535"},
		{"no parent", withLinks("{name: v0.7, kind: vlan, id: 7}"), "links[0].parent: vlan without a parent"},
		{"missing parent", withLinks(veth, "{name: v0.7, kind: vlan, id: 7, parent: w0}"), `5:49: links[1].parent: no link "w0" in the sandbox's own namespace; did you mean v0?`},
		{"missing master", withLinks("{name: v0, kind: veth, peer: {name: v1, master: br0}}"), `4:57: links[0].peer.master: no link "br0"`},
		{"itself", withLinks("{name: m0, kind: macvlan, parent: m0}"), "m0 and m0 are built upon each other"},
		{"cycle", withLinks("{name: m0, kind: macvlan, parent: m1}", "{name: m1, kind: macvlan, parent: m0}"), "5:43: links[1].parent: m1 and m0 are built upon each other"},
		{"cycle of masters", withLinks("{name: b0, kind: bridge, master: b1}", "{name: b1, kind: bridge, master: b0}"), "links[1].master: b1 and b0 are built"},
		{"same name", withLinks(veth, "{name: v1, kind: dummy}"), `5:16: links[1].name: a second link "v1"`},
		{"qdisc", withLinks("{name: v0, kind: dummy, qdisc: {kind: pulg}}"), `links[0].qdisc.kind: unknown kind of qdisc "pulg"; did you mean plug?`},
		{"qdisc key", withLinks("{name: v0, kind: dummy, qdisc: {kind: plug, rate: 8bit}}"), `links[0].qdisc.rate: unknown key "rate"`},
		{"bit rate", withLinks("{name: v0, kind: dummy, qdisc: {kind: tbf, rate: 8, burst: 1kb, limit: 1}}"), `"8": it has no unit; write bits per second like 8bit`},
		{"tbf", withLinks("{name: v0, kind: dummy, qdisc: {kind: tbf, rate: 8bit, limit: 1}}"), "links[0].qdisc.burst: tbf without a burst"},
		{"size", withLinks("{name: v0, kind: dummy, qdisc: {kind: plug, limit: -1}}"), `"-1": it is no size`},
		{"huge size", withLinks("{name: v0, kind: dummy, qdisc: {kind: plug, limit: 64TB}}"), "it is over 2147483647 bytes"},
		{"address", withLinks("{name: v0, kind: dummy, address: 10.0.0.1}"), `links[0].address: "10.0.0.1" is no address with a prefix length`},
		{"IPv6 off", withLinks("{name: v0, kind: dummy, address: fe80::1/64}"), `is IPv6, which is off; add ipv6: true`},
		{"reader", withLinks("{name: t0, kind: tun, reader: {mode: slow}}"), "links[0].reader.pps: a slow reader of 0 packets per second"},
		{"iodine", withLinks("{name: t0, kind: iodine}"), "4:9: links[0].address: iodine without an address"},
		{"wireguard peer", withLinks("{name: w0, kind: wireguard, endpoint: \"10.9.9.2:51820\", peer: v0}", veth), `links[0].peer: "v0" is no other wireguard of the scenario`},
		{"team port", withLinks("{name: t0, kind: team, disabled: [v0]}", veth), `links[0].disabled[0]: "v0" is no port of t0`},
		{"list for a word", withLinks("{name: [a], kind: dummy}"), "4:16: links[0].name: a list where one value belongs"},
		{"list for a mapping", withLinks("[a]"), "a list where a mapping belongs"},
		{"route", withKey("routes: [{to: default}]"), "routes[0]: a route to nowhere"},
		{"filter", withKey("filters: [{hook: outputs, action: drop}]"), `6:22: filters[0].hook: unknown hook "outputs"; did you mean output?`},
		{"filter link", withKey("filters: [{hook: output, link: v9, action: drop}]"), `filters[0].link: no link "v9"`},
	}
}

func badTraffic() []badInput {
	return []badInput{
		{"packet", withTraffic("packet: ospf-helo"), `5:23: traffic.packet: unknown packet "ospf-helo"; did you mean ospf-hello?`},
		{"socket", withTraffic("socket: rwa"), `traffic.socket: unknown socket "rwa"; did you mean raw`},
		{"style", withTraffic("style: poll"), `traffic.style: unknown style "poll"; did you mean poll-first?`},
		{"interface", withTraffic("interface: pkt"), `did you mean pktinfo?`},
		{"rate 0", withTraffic("rate: 0"), `5:21: traffic.rate: "0": the rate is not within 0.01 and 10000000 packets per second; write packets`},
		{"rate negative", withTraffic("rate: -1"), `"-1": the rate is not within`},
		{"rate NaN", withTraffic("rate: .nan"), `".nan": it is no number`},
		{"rate nan", withTraffic("rate: NaN"), `"NaN": it is no number`},
		{"rate inf", withTraffic("rate: 1e400"), "it is no number"},
		{"rate absurd", withTraffic("rate: 1e12"), "the rate is not within"},
		{"rate by no time", withTraffic("rate: 1/0s"), "it divides by no time"},
		{"count 0", withTraffic("count: 0"), `5:22: traffic.count: "0": it is under 1`},
		{"count negative", withTraffic("count: -3"), "it is under 1"},
		{"count absurd", withTraffic("count: 100000001"), "traffic.count: count of 100000001; give 1 to 100000000 packets"},
		{"count beyond", withTraffic("count: 99999999999999999999"), "it is far too large"},
		{"duration", withTraffic("duration: 0s"), "it is no time at all"},
		{"duration absurd", withTraffic("duration: 999h"), "duration of 999h0m0s; give at most 24h0m0s"},
		{"via", withTraffic("via: v7"), `5:20: traffic.via: no link "v7" in the sandbox's own namespace; did you mean v0, v1?`},
		{"via twice", withTraffic("via: [v0, v0]"), `traffic.via[1]: "v0" is there twice`},
		{"udp", withTraffic("socket: udp"), "a UDP socket cannot send ospf-hello; use packet rip or mdns"},
		{"payload", withTraffic("payload: {}"), "traffic.payload: a payload needs one of hex and file"},
		{"payload hex", withTraffic("payload: {hex: xyz}"), `5:30: traffic.payload.hex: "xyz" is not hex`},
		{"payload file", withTraffic("payload: {file: x}"), "traffic.payload.file: open x: file does not exist"},
		{"payload outside", withTraffic("payload: {file: ../x}"), "name a file beside the file of scenarios"},
		{"payload directory", withTraffic("payload: {file: dir}"), `"dir" is no regular file`},
		{"payload long", withTraffic("payload: {file: long}"), "traffic.payload: a payload over 65535 bytes"},
		{"size", withTraffic("size: 65536"), "traffic.size: size of 65536 bytes; give 0 to 65535"},
		{"to", withTraffic("to: there"), `traffic.to: "there" is no IP address`},
	}
}

// bomb doubles ten times a level.
func bomb() string {
	var b strings.Builder
	b.WriteString("scenarios:\n  - &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  - &a%d [%s]\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b.String()
}

// wideBomb repeats one long list in many places.
func wideBomb() string {
	var b strings.Builder
	b.WriteString("scenarios:\n  - name: a/b\n    expect: clean\n    links:\n")
	addresses := strings.TrimSuffix(strings.Repeat("10.0.0.1/8,", 2000), ",")
	fmt.Fprintf(&b, "      - {name: d, kind: dummy, address: &a [%s]}\n", addresses)
	for i := range 200 {
		fmt.Fprintf(&b, "      - {name: d%d, kind: dummy, address: *a}\n", i)
	}
	return b.String()
}

func payloads() fstest.MapFS {
	return fstest.MapFS{
		"dir/x": {Data: []byte("x")},
		"long":  {Data: make([]byte, MaxSize+1)},
		"hello": {Data: []byte("hello")},
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, tc := range badInputs() {
		t.Run(tc.name, func(t *testing.T) {
			list, err := DecodeFS("mine.yaml", strings.NewReader(tc.file), payloads())
			if err == nil {
				t.Fatalf("decoded to %v", list)
			}
			checkError(t, err)
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q\nhas no %q", err, tc.want)
			}
		})
	}
}

// checkError checks the form of an error: one line, file, line, column, what
// is wrong and what to do.
func checkError(t *testing.T, err error) {
	t.Helper()
	var line, col int
	msg := err.Error()
	rest, ok := strings.CutPrefix(msg, "mine.yaml:")
	if n, _ := fmt.Sscanf(rest, "%d:%d:", &line, &col); !ok || n != 2 || line < 1 || col < 1 {
		t.Errorf("error %q does not begin with file, line and column", msg)
	}
	if strings.ContainsAny(msg, "\n\r\x1b\x00") || len(msg) > 1500 {
		t.Errorf("error %q is not one fair line", msg)
	}
	var key *KeyError
	if !errors.As(err, &key) || key.What == "" || key.Do == "" {
		t.Errorf("error %q does not say what is wrong and what to do", msg)
	}
}

func TestDecodeDefaults(t *testing.T) {
	got, err := Decode("mine.yaml", strings.NewReader(withLinks(veth, "{name: w0, kind: dummy, netns: far}")))
	if err != nil {
		t.Fatal(err)
	}
	want := Traffic{
		Socket: "hdrincl", Packet: "ospf-hello", Style: "poll-first", Interface: "multicast-if",
		Count: DefaultCount, Via: []string{"v0"},
	}
	if d := cmp.Diff(want, got[0].Traffic); d != "" {
		t.Error(d)
	}
}

func TestDecodeTraffic(t *testing.T) {
	tests := []struct {
		keys string
		want func(Traffic) bool
	}{
		{"rate: 1/10s", func(t Traffic) bool { return t.Rate == 0.1 }},
		{"rate: 250", func(t Traffic) bool { return t.Rate == 250 }},
		{"rate: max", func(t Traffic) bool { return t.Rate == 0 }},
		{"duration: 1m", func(t Traffic) bool { return t.Duration == time.Minute && t.Count == 0 }},
		{"size: 0", func(t Traffic) bool { return t.Size != nil && *t.Size == 0 }},
		{"size: 10kb", func(t Traffic) bool { return *t.Size == 10000 }},
		{"payload: {hex: 00ff 0a}", func(t Traffic) bool { return string(t.Payload) == "\x00\xff\n" }},
		{"payload: {hex: 12}", func(t Traffic) bool { return string(t.Payload) == "\x12" }},
		{`payload: {hex: ""}`, func(t Traffic) bool { return t.Payload != nil && len(t.Payload) == 0 }},
		{"payload: {file: hello}", func(t Traffic) bool { return string(t.Payload) == "hello" }},
		{"via: [v1, v0]", func(t Traffic) bool { return cmp.Equal(t.Via, []string{"v1", "v0"}) }},
	}
	for _, tc := range tests {
		got, err := DecodeFS("mine.yaml", strings.NewReader(withTraffic(tc.keys)), payloads())
		if err != nil {
			t.Errorf("%s: %v", tc.keys, err)
		} else if !tc.want(got[0].Traffic) {
			t.Errorf("%s: %+v", tc.keys, got[0].Traffic)
		}
	}
}

func TestDecodeForms(t *testing.T) {
	file := withLinks(
		"&v {name: v0, kind: veth, address: [10.9.9.1/24, 10.9.8.1/24], qdisc: {kind: plug, limit: 64MB}, peer: {name: v1}}",
		"{name: 7, kind: tun, down: true, txqueuelen: 0}")
	file = strings.ReplaceAll(strings.Replace(file, "clean", "[clean, refused]", 1), "\n", "\r\n")
	got, err := Decode("mine.yaml", strings.NewReader("\ufeff"+file))
	if err != nil {
		t.Fatal(err)
	}
	none := 0
	want := []Link{
		{
			Common:  Common{Name: "v0", Addresses: []string{"10.9.9.1/24", "10.9.8.1/24"}, Qdisc: &Qdisc{&PlugOptions{Limit: 64_000_000}}},
			Options: &VethOptions{Peer: Common{Name: "v1"}},
		},
		{Common: Common{Name: "7", Down: true, TxQueueLen: &none}, Options: &TunOptions{}},
	}
	if d := cmp.Diff(want, got[0].Links); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]record.Verdict{record.Clean, record.Refused}, got[0].Expect); d != "" {
		t.Error(d)
	}
}

func TestReadFile(t *testing.T) {
	list, err := ReadFile(t.Context(), filepath.Join("testdata", "payload.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(list[0].Traffic.Payload); got != "a payload of our own\n" {
		t.Errorf("payload %q", got)
	}
	if _, err := ReadFile(t.Context(), "testdata/none.yaml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestCheckKeepsTheRules(t *testing.T) {
	good := catalogue(t)[0]
	tests := []struct {
		name   string
		change func(*Scenario)
		want   string
	}{
		{"nothing", func(*Scenario) {}, ""},
		{"rate", func(s *Scenario) { s.Traffic.Rate = -1 }, "traffic.rate: rate -1: the rate is not within"},
		{"count", func(s *Scenario) { s.Traffic.Count = 0 }, "traffic.count: traffic without an end"},
		{"packet", func(s *Scenario) { s.Traffic.Packet = "ospf" }, "did you mean ospf-hello?"},
		{"no links", func(s *Scenario) { s.Links = nil }, "links: 0 links"},
		{"no options", func(s *Scenario) { s.Links = []Link{{}} }, "links[0].kind: a link without a kind"},
	}
	for _, tc := range tests {
		s := good
		tc.change(&s)
		err := s.Check()
		if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
		var key *KeyError
		if err != nil && !errors.As(err, &key) {
			t.Errorf("%s: %T wraps no KeyError", tc.name, err)
		}
	}
}
