package traffic

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
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

// dissected is what tshark must know each packet as.
func dissected() map[string]string {
	return map[string]string{
		"ospf-hello": "ospf", "vrrp": "vrrp", "pim-hello": "pim", "igmp-report": "igmp", "eigrp-hello": "eigrp",
		"rip": "rip", "mdns": "mdns", "icmp-echo": "icmp", "icmp-echo-multicast": "icmp", "experimental": "ip",
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
		if _, ok := good[i][dissected()[spec.Name]]; !ok {
			t.Errorf("%s: no %s layer", spec.Name, dissected()[spec.Name])
		}
		if got := complaints(t, good[i]); len(got) > 0 {
			t.Errorf("%s: tshark says %v of %s", spec.Name, got, good[i])
		}
		if got := complaints(t, bad[i]); len(got) == 0 && spec.encode != nil {
			t.Errorf("%s: tshark finds nothing wrong with a bit turned in %s", spec.Name, bad[i])
		}
	}
}

// dissect gives tshark's view of each packet by layer.
func dissect(t *testing.T, packets [][]byte) []map[string]json.RawMessage {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is missing: apt-get install tshark")
	}
	file := filepath.Join(t.TempDir(), "packets.pcap")
	writePcap(t, file, packets)
	cmd := exec.CommandContext(t.Context(), tshark, "-r", file, "-T", "json",
		"-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, &trouble)
	}
	var seen []struct {
		Source struct {
			Layers map[string]json.RawMessage `json:"layers"`
		} `json:"_source"`
	}
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(packets) {
		t.Fatalf("tshark saw %d packets of %d", len(seen), len(packets))
	}
	var all []map[string]json.RawMessage
	for _, one := range seen {
		all = append(all, one.Source.Layers)
	}
	return all
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

// complaints is what tshark finds wrong. A checksum's status is 1 for good and
// 0 for bad.
func complaints(t *testing.T, seen map[string]json.RawMessage) []string {
	t.Helper()
	b, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, sign := range []string{`_ws.malformed`, `sum.status":"0"`, `bad_checksum`} {
		if strings.Contains(string(b), sign) {
			found = append(found, sign)
		}
	}
	return found
}
