// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"bytes"
	"testing"

	"skleak/scenarios"
)

func mustLookup(t *testing.T, name string) Spec {
	t.Helper()
	spec, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func mustOpen(t *testing.T, cfg Config, perLink bool) *Stream {
	t.Helper()
	s, err := OpenStream(cfg, perLink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustRun(t *testing.T, s *Stream, plan Plan) Stats {
	t.Helper()
	stats, err := s.Run(t.Context(), plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

func TestHelloArrivesByteForByte(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	heard := listen(t, "v1")
	spec := mustLookup(t, "ospf-hello")
	s := mustOpen(t, Config{Socket: scenarios.SocketHdrIncl, Spec: spec, Targets: []Target{link}}, false)
	mustRun(t, s, Plan{Count: 1})
	p, err := Build(spec, link.Source, spec.Destination, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Frame(link)
	if err != nil {
		t.Fatal(err)
	}
	if got := heard.next(); !bytes.Equal(got, want) {
		t.Errorf("arrived\n%x\nbuilt\n%x", got, want)
	}
}

func TestMaxRate(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	for _, style := range []string{scenarios.StylePollFirst, scenarios.StyleSendFirst} {
		t.Run(style, func(t *testing.T) {
			s := mustOpen(t, Config{Socket: scenarios.SocketHdrIncl, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{link}}, false)
			const count = 100_000
			stats := mustRun(t, s, Plan{Count: count, Style: style})
			if stats.Sent != count || len(stats.Refused) > 0 || stats.Stopped != ByCount {
				t.Errorf("%+v", stats)
			}
			t.Logf("%.0f packets/s", count/(float64(stats.LastSendNs-stats.StartNs)/1e9))
		})
	}
}
