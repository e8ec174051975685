// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skleak/internal/testkit"
	"skleak/record"
)

// pcapngFile writes the packets into a file.
func pcapngFile(t *testing.T, rep record.Report, e Evidence) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "packets.pcapng")
	if err := os.WriteFile(file, []byte(written(t, "pcapng", rep, Options{Evidence: e})), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// said is what a program prints of a file, which it must take without complaint.
func said(t *testing.T, program, file string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append(args, file)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

func one(status record.Status) record.Report {
	r := sampleHold()
	r.Status = status
	run := sampleRun()
	run.Results, run.Controls = []record.Result{r}, nil
	return record.Report{Schema: record.ReportSchema, Runs: []record.Run{run}}
}

// TestPcapngReadByTshark: a reader that nobody here wrote finds the packets in
// order, each with its charge, and their checksums right, redacted or not.
func TestPcapngReadByTshark(t *testing.T) {
	tshark := testkit.Program(t, "tshark", "tshark")
	for name, redact := range map[string]*Redactor{"172.29.198.129": nil, "198.18.1.129": NewRedactor()} {
		e := sampleEvidence()
		e.Redact = redact
		out := said(t, tshark, pcapngFile(t, one(record.Pass), e), "-o", "ip.check_checksum:TRUE", "-T", "fields",
			"-e", "frame.number", "-e", "ip.src", "-e", "ospf.srcrouter", "-e", "ip.checksum.status", "-e", "_ws.expert.message", "-e", "frame.comment", "-r")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) != 32 {
			t.Fatalf("%d packets, want 32:\n%s", len(lines), out)
		}
		for at, want := range map[int]string{
			0:  "1\t" + name + "\t" + name + "\t1\t",
			31: "packet 257 of the socket; 213824 bytes charged after it (sk_wmem_alloc)",
			15: "packet 129 of the socket; 107328 bytes charged after it (sk_wmem_alloc)",
			14: "packet 128 of the socket; 106496 bytes charged after it (sk_wmem_alloc); poll no longer says POLLOUT",
		} {
			if !strings.Contains(lines[at], want) {
				t.Errorf("line %d: %q, want %q", at, lines[at], want)
			}
		}
		if strings.Contains(out, "Bad checksum") || strings.Contains(out, "ncorrect") {
			t.Errorf("tshark complains:\n%s", out)
		}
	}
}

func TestPcapngReadByCapinfos(t *testing.T) {
	capinfos := testkit.Program(t, "capinfos", "wireshark-common")
	for _, c := range []struct {
		rep  record.Report
		e    Evidence
		want []string
	}{
		{one(record.Pass), sampleEvidence(), []string{"Number of packets:   32", "Strict time order:   True", "Name = v0", "Description = hold/tbf on"}},
		{record.Report{}, Evidence{}, []string{"Number of packets:   0", "No packets"}},
		{hostile(), sampleEvidence(), []string{"Number of packets:   128"}},
	} {
		out := said(t, capinfos, pcapngFile(t, c.rep, c.e))
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
	}
}

// TestRedactPacket: addresses go, groups stay, and right checksums stay right.
func TestRedactPacket(t *testing.T) {
	was := sampleHello()
	r := NewRedactor()
	got := r.Packet(was, false)
	if slices.Equal(got, was) || !slices.Equal(was, sampleHello()) {
		t.Fatal("nothing was replaced, or in place")
	}
	if fold(sum(got[:20])) != 0xffff {
		t.Errorf("checksum of the IP header is wrong: %x", got[:20])
	}
	if fold(sum(got[20:])) != 0xffff {
		t.Errorf("checksum of OSPF is wrong: %x", got[20:])
	}
	if want := []byte{224, 0, 0, 5}; !slices.Equal(got[16:20], want) {
		t.Errorf("the group became %v", got[16:20])
	}
	if text := r.Text("172.29.198.129"); text != "198.18.1.129" || !slices.Equal(got[12:16], []byte{198, 18, 1, 129}) {
		t.Errorf("text has %s, the packet %v", text, got[12:16])
	}
	frame := append([]byte{1, 0, 0x5e, 0, 0, 5, 0x52, 0x54, 0, 1, 2, 3, 8, 0}, was...)
	if got := r.Packet(frame, true); got[6] != 2 || got[0] != 1 || fold(sum(got[14:34])) != 0xffff {
		t.Errorf("frame: %x", got[:34])
	}
	// An odd place, a wrong checksum and what is too short do no harm.
	udp := append(slices.Clone(was[:20]), 0, 7, 0, 7, 0, 13, 0, 0, 9, 172, 29, 198, 129)
	udp[9] = 17
	if got := r.Packet(udp, false); binary.BigEndian.Uint16(got[26:]) != 0 || got[29] != 198 {
		t.Errorf("UDP without a checksum: %x", got)
	}
	for n := range was {
		_ = r.Packet(was[:n], false)
		_ = r.Packet(was[:n], true)
	}
	var none *Redactor
	if !slices.Equal(none.Packet(was, false), was) {
		t.Error("nobody redacts")
	}
}
