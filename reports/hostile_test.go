// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"skleak/record"
)

// evilEvidence has a text of a stranger's wherever a trace has one.
func evilEvidence(evil string) Evidence {
	e := sampleEvidence()
	t := sampleTrace()
	t.Packet, t.Socket, t.Rate = evil, evil, evil
	t.Sockets[0].Name, t.Sockets[0].StalledOn = evil, evil
	for i := range t.Sockets[0].Packets {
		t.Sockets[0].Packets[i].Link = evil
	}
	t.Sockets[0].Forms[0].Link = evil
	t.Facts.Config = []string{evil}
	for i := range t.State {
		st := &t.State[i]
		st.Links[0].Name, st.Links[0].Kind, st.Links[0].Flags, st.Links[0].Driver, st.Links[0].Addresses = evil, evil, evil, evil, []string{evil}
		st.Qdiscs[0].Kind, st.Qdiscs[0].Link, st.ProcNetRaw, st.KernelLog = evil, evil, []string{evil}, []string{evil}
		st.Neighbours = []record.NeighbourState{{Link: evil, Address: evil, State: evil}}
	}
	e.Trace = func(record.Kernel, string) *record.Trace { return t }
	e.Scenario = func(string) string { return evil }
	return e
}

// evilReport has it wherever a report has a text.
func evilReport(evil string) record.Report {
	r := sampleHold()
	r.Scenario, r.Verdict, r.Expected, r.Holder, r.ReleasedBy, r.Law = evil, record.Verdict(evil), evil, evil, evil, evil
	r.Reason, r.Hint, r.Orphans, r.Refused, r.Warnings = evil, evil, evil, map[string]int{evil: 1}, []string{evil}
	r.Ladder = []record.LadderStep{{Rung: evil, On: evil, Before: 9, After: 1, Error: evil}, {Rung: evil, On: evil}}
	r.Stages = []record.Stage{{Stage: evil, Netns: evil, Lost: 1}}
	r.Witness = []record.Witness{{Rung: evil, Location: evil, Reason: evil, Count: 1, Chain: []string{evil}}}
	r.Attempts = []record.Attempt{{Verdict: record.Verdict(evil), Holder: evil}}
	r.Status = record.Fail
	run := record.Run{
		Kernel:  record.Kernel{Release: evil, Version: evil, Arch: evil, Source: evil, Cmdline: evil, Config: evil},
		Results: []record.Result{r}, Trouble: evil, Notes: []string{evil},
		Crashes: []record.Crash{{Text: evil, Frames: []string{evil}, Scenario: evil}},
	}
	return record.Report{Schema: record.ReportSchema, Runs: []record.Run{run}}
}

// shape is what a page consists of without its texts: elements and the names of
// their attributes.
func shape(t *testing.T, page string) []string {
	t.Helper()
	var out []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				t.Fatal(z.Err())
			}
			return out
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			token := z.Token()
			text := kind.String() + " " + token.Data
			for _, a := range token.Attr {
				text += " " + a.Key
			}
			out = append(out, text)
		case html.CommentToken:
			out = append(out, "comment")
		}
	}
}

// xmlShape is the same of XML.
func xmlShape(t *testing.T, doc string) []string {
	t.Helper()
	var out []string
	d := xml.NewDecoder(strings.NewReader(doc))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		switch token := token.(type) {
		case xml.StartElement:
			out = append(out, "<"+token.Name.Local)
		case xml.EndElement:
			out = append(out, ">"+token.Name.Local)
		}
	}
}

// unbroken fails if a text changes what a format's reader takes the file for.
func unbroken(t *testing.T, evil string) {
	t.Helper()
	const plain = "plain/text"
	of := func(format, text string) string {
		return written(t, format, evilReport(text), Options{Evidence: evilEvidence(text)})
	}
	if !json.Valid([]byte(of("json", evil))) {
		t.Errorf("%q breaks json", evil)
	}
	if !slices.Equal(xmlShape(t, of("junit", evil)), xmlShape(t, of("junit", plain))) {
		t.Errorf("%q breaks junit", evil)
	}
	if !slices.Equal(xmlShape(t, of("svg", evil)), xmlShape(t, of("svg", plain))) {
		t.Errorf("%q breaks svg", evil)
	}
	page := shape(t, of("html", evil))
	if slices.ContainsFunc(page, func(s string) bool {
		return strings.Contains(s, "script") || strings.Contains(s, "comment") || strings.Contains(s, " on")
	}) {
		t.Errorf("%q breaks html", evil)
	}
	if _, rest, err := ktapParse(strings.Split(strings.TrimSuffix(of("ktap", evil), "\n"), "\n"), ""); err != nil || len(rest) > 0 {
		t.Errorf("%q breaks ktap: %v", evil, err)
	}
	for _, format := range []string{"mail", "summary", "markdown", "annotations"} {
		text := of(format, evil)
		if strings.ContainsAny(text, "\x00\x1b\r\x07") {
			t.Errorf("%q: %s lets a control character pass", evil, format)
		}
		if format == "summary" && strings.Contains(text, "<b>") || format == "markdown" && strings.Contains(text, "<b>") {
			t.Errorf("%q: %s has a tag", evil, format)
		}
	}
	if len(of("pcapng", evil)) == 0 || len(of("bundle", evil)) == 0 {
		t.Errorf("%q breaks pcapng or bundle", evil)
	}
}

// evils are texts that break careless writers.
func evils() []string {
	return []string{
		"<b>", "]]>", "a\x00b\x1b[2J\r\n", "\xff\xfe", "--><script>alert(1)</script>", `"'><img src=x onerror=y>`, "&amp;&#x0;", "\u202e\u2028",
		"|`*_[x](http://y)", "::error::x\n::add-mask::y", "ok 1 x\nnot ok 2 y\n1..9", "$(id)`id`';\"", strings.Repeat("x", 20000), "%0A%s%n", "\ufffe\uffff",
	}
}

// FuzzFormats looks for a text that changes what a reader takes a file for. Its seeds
// are run by every test.
func FuzzFormats(f *testing.F) {
	for _, evil := range evils() {
		f.Add(evil)
	}
	f.Fuzz(func(t *testing.T, evil string) {
		// What is empty is left out here and there, which is no harm.
		if strings.TrimSpace(evil) != "" {
			unbroken(t, evil)
		}
	})
}

// TestLongLogs: ten megabytes of kernel log make no page and no mail of ten
// megabytes.
func TestLongLogs(t *testing.T) {
	e := sampleEvidence()
	tr := sampleTrace()
	line := strings.Repeat("x", 99)
	for i := range tr.State {
		for range 40000 {
			tr.State[i].KernelLog = append(tr.State[i].KernelLog, line)
		}
	}
	e.Trace = func(record.Kernel, string) *record.Trace { return tr }
	for format, most := range map[string]int{"html": 100_000, "mail": 50_000, "svg": 50_000, "summary": 10_000} {
		if out := written(t, format, one(record.Fail), Options{Evidence: e}); len(out) > most {
			t.Errorf("%s has %d bytes, want at most %d", format, len(out), most)
		}
	}
}

// TestPageIsWhole: every link leads somewhere within the page, nothing is loaded,
// and no id is there twice.
func TestPageIsWhole(t *testing.T) {
	several := sample()
	several.Runs = append(several.Runs, sampleRun(), hostile().Runs[0])
	doc, err := html.Parse(bytes.NewReader([]byte(written(t, "html", several, Options{Evidence: sampleEvidence()}))))
	if err != nil {
		t.Fatal(err)
	}
	ids, links := map[string]int{}, []string{}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				ids[a.Val]++
			case "href", "src":
				links = append(links, a.Val)
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("the id %s is there %d times", id, n)
		}
	}
	for _, l := range links {
		if !strings.HasPrefix(l, "#") || ids[l[1:]] == 0 {
			t.Errorf("a link to %q, which is not in the page", l)
		}
	}
	if len(links) < 20 {
		t.Errorf("only %d links", len(links))
	}
}
