// SPDX-License-Identifier: GPL-2.0-only

package story

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"skleak/internal/testkit"
)

// guest is what the script wrote in a guest of 6.1.0-56-amd64 with the mutant, the
// captures cut short.
func guest(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/2012.guest")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func told(t *testing.T, v Variant, text string) *Story {
	t.Helper()
	s, err := Parse(v, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Judge(v)
	return s
}

func variant(t *testing.T, name string) Variant {
	t.Helper()
	v, ok := Find(name)
	if !ok {
		t.Fatal(name)
	}
	return v
}

func TestStory(t *testing.T) {
	s := told(t, variant(t, "2012"), guest(t))
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/2012.txt", b.String())
	if !s.Holds() || len(s.Files) != 1 || !bytes.HasPrefix(s.Files["r1-dns0.pcap"], []byte{0xd4, 0xc3, 0xb2, 0xa1}) {
		t.Errorf("%d files, holds %v", len(s.Files), s.Holds())
	}
}

// Each claim fails where what it claims is not so.
func TestClaimsFail(t *testing.T) {
	text := guest(t)
	for name, c := range map[string]struct{ from, to, claim string }{
		"another's bytes too":        {`(?m)charges=,213504$`, "charges=,213600", "the charge is"},
		"not at the limit":           {`"sndbuf": 425984`, `"sndbuf": 925984`, "not writable any more"},
		"Hellos go on":               {`(@sample \S+ \S+ r2-v1=)278( r1-v0=278 r1-dns0=278 charges=,213504\n@raw)`, "${1}279$2", "Hellos stopped"},
		"it tried to send":           {`@calls ppoll`, "@calls sendmsg 7\n@calls ppoll", "called sendmsg"},
		"it asks no more":            {`(?m)^@calls ppoll .*\n`, "", "it waited"},
		"no alarm":                   {`(?m)^@watch .*\n`, "", "skleak watch gave no alarm"},
		"an alarm too late":          {`"writable":true`, `"writable":false`, "skleak watch gave its alarm"},
		"blame names another":        {`"link": "dns0",( +)"packets": \d+`, `"link": "v0",${1}"packets": 30`, "before the silence"},
		"blame says nothing":         {`(?m)^@blame after .*\n`, "", "said nothing after"},
		"no cure":                    {`(?m)(@cure .*\n@sample.*)charges=,0$`, "${1}charges=,768", "iodined ended"},
		"the network itself is gone": {`@ping answered`, "@ping lost", "a ping"},
	} {
		changed := regexp.MustCompile(c.from).ReplaceAllString(text, c.to)
		if changed == text {
			t.Errorf("%s: nothing changed", name)
			continue
		}
		failed := ""
		for _, claim := range told(t, variant(t, "2012"), changed).Claims {
			if !claim.Holds {
				failed += claim.Text + "\n"
			}
		}
		if !strings.Contains(failed, c.claim) {
			t.Errorf("%s: failed %q, want %q", name, failed, c.claim)
		}
	}
	for _, name := range []string{"stock", "no-iodined", "passive", "bird", "frr10"} {
		if s := told(t, variant(t, name), text); s.Holds() {
			t.Errorf("2012 passes for %s", name)
		}
	}
}

func TestBrokenOff(t *testing.T) {
	text := guest(t)
	for name, broken := range map[string]string{
		"nothing":         "",
		"no end":          strings.Replace(text, "@end", "", 1),
		"a strange line":  "@who knows\n" + text,
		"no JSON":         strings.Replace(text, "@blame before {", "@blame before [", 1),
		"no number":       strings.Replace(text, "charges=,", "charges=x,", 1),
		"a short sample":  "@sample 1\n" + text,
		"no base64":       strings.Replace(text, "@file r1-dns0.pcap ", "@file r1-dns0.pcap !", 1),
		"no line at all":  strings.Repeat("x", longestLine+1),
		"calls of no sum": strings.Replace(text, "@calls ppoll ", "@calls ppoll x", 1),
	} {
		if s, err := Parse(Variant{}, strings.NewReader(broken)); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("@sample 6.69 6568 r2-v1=5 r1-v0=4 r1-dns0=13 charges=,10752\n@calls ppoll 39\n@ping answered\n@end\n")
	f.Add("@cure 3\n@sample 1 1 charges=\n@file a AAAA\n@card eth0 e100\n@watch 1 {}\n@blame after {}\n@end")
	f.Fuzz(func(_ *testing.T, text string) {
		for _, v := range Variants() {
			if s, err := Parse(v, strings.NewReader(text)); err == nil {
				s.Judge(v)
				_ = s.Write(&bytes.Buffer{})
			}
		}
	})
}

func TestScript(t *testing.T) {
	if err := exec.Command("sh", "-n", "guest.sh").Run(); err != nil {
		t.Error(err)
	}
	shellcheck := testkit.Program(t, "shellcheck", "shellcheck")
	if out, err := exec.Command(shellcheck, "guest.sh").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
