// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"encoding/hex"

	"skleak/record"
)

// sampleTrace is what the result sampleHold was judged by, shortened.
func sampleTrace() *record.Trace {
	t := &record.Trace{
		Schema: record.TraceSchema, Scenario: "hold/tbf", Packet: "ospf-hello", Socket: "hdrincl", Rate: "max", Sent: 257,
		Kernel:      record.Kernel{Release: "6.18.44", Version: "#1 SMP", Arch: "x86_64", Source: "host"},
		FirstSendNs: 62_000_000, LastSendNs: 63_000_000, Truesize: 832, WindowNs: 300_000_000,
		Settle: record.Reading{AtNs: 363_000_000, Bytes: 213824},
		Waiter: record.Waiter{Parked: 1, Woken: 1},
		Facts:  &record.Facts{Tainted: 1 << 12, Config: []string{"CONFIG_NET_SCH_TBF=m", "# CONFIG_KASAN is not set"}},
	}
	s := record.SocketTrace{
		Name: "v0", SndBuf: 212992, Peak: 213824, Sent: 257, PacketsToStall: 128, StalledOn: "v0",
		Course: record.Course{Silences: []record.Silence{{AtNs: 62_500_000, ForNs: 4e9, Packets: 128, Bytes: 106496}}},
		Forms:  []record.SentForm{{Link: "v0", Length: 68, Data: sampleHello()}},
	}
	for i := range 257 {
		at := 62_000_000 + int64(i)*3900
		s.Series = append(s.Series, record.Point{AtNs: at, Bytes: int64(i) * 832, Sent: i})
		if i < 8 || i > 120 && i < 137 || i > 248 {
			s.Packets = append(s.Packets, record.SentPacket{Number: i + 1, AtNs: at, Bytes: int64(i+1) * 832, Link: "v0"})
		}
	}
	for i := range 50 {
		s.After = append(s.After, record.Point{AtNs: 63_000_000 + int64(i)*80_000_000, Bytes: 213824, Sent: 257})
	}
	t.Sockets = []record.SocketTrace{s}
	t.State = []record.State{sampleState("before"), sampleState("held"), sampleState("end")}
	return t
}

func sampleState(when string) record.State {
	return record.State{
		When: when, Sent: 257,
		Links: []record.LinkState{{
			Name: "v0", Kind: "veth", Index: 3, MTU: 1500, TxQLen: 1000, Flags: "up|broadcast|multicast|running", OperState: "up",
			Carrier: true, Addresses: []string{"172.29.198.129/28"}, LLAddr: "82:3e:0b:ed:b9:31", Driver: "veth", Via: true, Peer: "v1",
		}},
		Qdiscs: []record.QdiscState{{Link: "v0", Kind: "tbf", Handle: "8001:0", Parent: "root", Backlog: 17476, QLen: 257}},
		ProcNetRaw: []string{
			"  17: 81C61DAC:0059 00000000:0000 07 00034340:00000000 00:00000000 00000000     0        0 4458030 2 00000000daba897e 0",
		},
		KernelLog: []string{"v0: entered promiscuous mode"},
	}
}

// sampleHello is an OSPF Hello of 172.29.198.129 with right checksums.
func sampleHello() []byte {
	const hello = "45c0004400010000015965fcac1dc681e0000005" +
		"02010030ac1dc6810000000" + "0c7f900000000000000000000" +
		"ffffff00000a0201000000280000000000000000c0000201"
	b, err := hex.DecodeString(hello)
	if err != nil {
		panic(err)
	}
	return b
}

// sampleEvidence has that trace for every result.
func sampleEvidence() Evidence {
	t := sampleTrace()
	return Evidence{
		Trace:    func(record.Kernel, string) *record.Trace { return t },
		Scenario: func(name string) string { return "scenarios:\n  - name: " + name + "\n" },
		Script:   func(string) string { return "#!/bin/bash\nexit 0\n" },
		Saved: func(yield func(File) error) error {
			return yield(File{Name: "run.json", Data: []byte("{}\n")})
		},
	}
}
