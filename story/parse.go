// SPDX-License-Identifier: GPL-2.0-only

package story

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"skleak/blame"
	"skleak/watch"
)

// Story is what one run in a guest showed.
type Story struct {
	Schema  string `json:"schema"`
	Variant string `json:"variant"`
	Kernel  string `json:"kernel"`
	Daemon  string `json:"daemon"`
	// Card is the card's interface, Driver its driver; "" without one.
	Card   string `json:"card,omitempty"`
	Driver string `json:"driver,omitempty"`
	// Samples are looks about a second apart; Cured one after iodined ended.
	Samples []Sample `json:"samples"`
	Cured   *Sample  `json:"cured,omitempty"`
	// Watch is the look of `skleak watch --alarm 50` that ended it, WatchedAt when.
	Watch     *watch.Look `json:"watch,omitempty"`
	WatchedAt float64     `json:"watched_at,omitempty"`
	// Before and After are what `skleak blame` said while it went on, and at the end.
	Before *blame.Finding `json:"blame_before,omitempty"`
	After  *blame.Finding `json:"blame_after,omitempty"`
	// Calls counts system calls in the last two seconds, by name.
	Calls map[string]int `json:"calls"`
	// Ping is whether the second router answered at the end.
	Ping string   `json:"ping"`
	Raw  []string `json:"proc_net_raw"`
	// Notes are lines of the guest that are no result.
	Notes  []string `json:"notes,omitempty"`
	Claims []Claim  `json:"claims"`
	// Files are the captures, by name.
	Files map[string][]byte `json:"-"`
	ended bool
}

// Sample is one look.
type Sample struct {
	// At is seconds since boot, RSS the daemon's memory in KiB.
	At  float64 `json:"at"`
	RSS int     `json:"rss_kib"`
	// Packets are how many a capture had by then: "r1-dns0" is what the router sent
	// into dns0, "r2-v1" what came to the second router.
	Packets map[string]int `json:"packets"`
	// Charges are of the daemon's raw sockets, in bytes.
	Charges []int64 `json:"charges"`
}

// Charge is the greatest.
func (s Sample) Charge() (most int64) {
	for _, c := range s.Charges {
		most = max(most, c)
	}
	return most
}

// longestLine bounds a line: a capture in base64.
const longestLine = 8 << 20

// Parse reads what the script wrote. A story that broke off, or that says what it
// should not, is an error.
func Parse(v Variant, r io.Reader) (*Story, error) {
	s := &Story{Schema: Schema, Variant: v.Name, Calls: map[string]int{}, Files: map[string][]byte{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		key, rest, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(key, "@") {
			s.Notes = append(s.Notes, lines.Text())
			continue
		}
		if err := s.line(key, rest); err != nil {
			return nil, fmt.Errorf("the story's line %.60q: %w", lines.Text(), err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the story: %w", err)
	}
	if !s.ended || len(s.Samples) == 0 {
		return nil, fmt.Errorf("the story broke off after %d looks: %s", len(s.Samples), strings.Join(s.Notes, "; "))
	}
	return s, nil
}

func (s *Story) line(key, rest string) (err error) {
	word, after, _ := strings.Cut(rest, " ")
	switch key {
	case "@kernel":
		s.Kernel = rest
	case "@daemon":
		s.Daemon = rest
	case "@card":
		s.Card, s.Driver = word, after
	case "@sample":
		return s.sample(rest)
	case "@watch":
		s.Watch = &watch.Look{}
		if s.WatchedAt, err = strconv.ParseFloat(word, 64); err == nil {
			err = json.Unmarshal([]byte(after), s.Watch)
		}
	case "@blame":
		f := &blame.Finding{}
		if word == "before" {
			s.Before = f
		} else {
			s.After = f
		}
		err = json.Unmarshal([]byte(after), f)
	case "@calls":
		s.Calls[word], err = strconv.Atoi(after)
	case "@ping":
		s.Ping = rest
	case "@raw":
		s.Raw = append(s.Raw, rest)
	case "@cure":
		s.Cured = &Sample{}
	case "@file":
		s.Files[word], err = base64.StdEncoding.DecodeString(after)
	case "@end":
		s.ended = true
	default:
		err = fmt.Errorf("it is none of the script's")
	}
	return err
}

func (s *Story) sample(text string) (err error) {
	fields := strings.Fields(text)
	if len(fields) < 3 {
		return fmt.Errorf("%d words", len(fields))
	}
	one := Sample{Packets: map[string]int{}}
	if one.At, err = strconv.ParseFloat(fields[0], 64); err != nil {
		return err
	}
	if one.RSS, err = strconv.Atoi(fields[1]); err != nil {
		return err
	}
	for _, field := range fields[2:] {
		name, value, _ := strings.Cut(field, "=")
		if name == "charges" {
			if one.Charges, err = charges(value); err != nil {
				return err
			}
			continue
		}
		if one.Packets[name], err = strconv.Atoi(value); err != nil {
			return err
		}
	}
	if s.Cured != nil {
		s.Cured = &one
		return nil
	}
	s.Samples = append(s.Samples, one)
	return nil
}

func charges(text string) (out []int64, err error) {
	for word := range strings.SplitSeq(strings.Trim(text, ","), ",") {
		if word == "" {
			continue
		}
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
