// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dissected is a line that tshark must say of each packet.
func dissected() map[string]string {
	return map[string]string{
		"ospf-hello":          "Message Type: Hello Packet (1)",
		"vrrp":                "Advertisement (1)",
		"pim-hello":           "Type: Hello (0)",
		"igmp-report":         "IGMP Version: 2",
		"eigrp-hello":         "Opcode: Hello (5)",
		"rip":                 "Version: RIPv2 (2)",
		"mdns":                "_services._dns-sd._udp.local: type PTR, class IN",
		"icmp-echo":           "Type: 8 (Echo (ping) request)",
		"icmp-echo-multicast": "Type: 8 (Echo (ping) request)",
		"experimental":        "(253)",
	}
}

// TestTshark has a dissector that nobody here wrote read every packet, and the
// same with one bit turned, which it must not let pass.
func TestTshark(t *testing.T) {
	var whole, turned [][]byte
	for _, spec := range Specs() {
		b := mustBuild(t, spec, nil, nil).IP()
		whole = append(whole, b)
		b = append([]byte(nil), b...)
		b[len(b)-1] ^= 0x01
		turned = append(turned, b)
	}
	good, bad := dissect(t, whole), dissect(t, turned)
	for i, spec := range Specs() {
		if want := dissected()[spec.Name]; !strings.Contains(good[i], want) {
			t.Errorf("%s: no %q in\n%s", spec.Name, want, good[i])
		}
		if got := complaints(good[i]); len(got) > 0 {
			t.Errorf("%s: tshark says %v of\n%s", spec.Name, got, good[i])
		}
		if got := complaints(bad[i]); len(got) == 0 && spec.encode != nil {
			t.Errorf("%s: tshark finds nothing wrong with a bit turned in\n%s", spec.Name, bad[i])
		}
	}
}

// dissect gives tshark's description of each packet.
func dissect(t *testing.T, packets [][]byte) []string {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is missing: apt-get install tshark")
	}
	file := filepath.Join(t.TempDir(), "packets.pcap")
	writePcap(t, file, packets)
	cmd := exec.CommandContext(t.Context(), tshark, "-r", file, "-V",
		"-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, &trouble)
	}
	each := strings.Split("\n"+string(out), "\nFrame ")[1:]
	if len(each) != len(packets) {
		t.Fatalf("tshark saw %d packets of %d", len(each), len(packets))
	}
	return each
}

func writePcap(t *testing.T, file string, packets [][]byte) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	for _, b := range packets {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(0, 0), CaptureLength: len(b), Length: len(b)}
		if err := w.WritePacket(info, b); err != nil {
			t.Fatal(err)
		}
	}
}

// complaints is what tshark finds wrong.
func complaints(description string) []string {
	var found []string
	for line := range strings.Lines(description) {
		for _, sign := range []string{"alformed", "[incorrect", "Status: Bad", "Bad checksum"} {
			if strings.Contains(line, sign) {
				found = append(found, strings.TrimSpace(line))
			}
		}
	}
	return found
}
