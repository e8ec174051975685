// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"skleak/reports"
)

// terminal is where a command prints, and what the place can show. What goes
// through out and err can do a terminal or a log no harm, whoever wrote it.
type terminal struct {
	out, err *reports.HarmlessWriter
	// plain is what out writes to: for reports, which have colours.
	plain io.Writer
	// screen is what err writes to: for progress, which moves the cursor.
	screen io.Writer
	// outWidth is the columns of out, 0 where it is no terminal.
	outWidth int
	// live says that err is a terminal, so that progress may be drawn there.
	live      bool
	liveWidth int
	colour    bool
	ascii     bool
}

func terminalOf(out, err *os.File) terminal {
	t := terminal{
		out: reports.NewHarmlessWriter(out, false), err: reports.NewHarmlessWriter(err, false),
		plain: out, screen: err, ascii: !utf8Locale(os.Getenv),
	}
	if w, _, e := term.GetSize(int(out.Fd())); e == nil {
		t.outWidth = w
		t.colour = wantsColour(os.LookupEnv)
	}
	if w, _, e := term.GetSize(int(err.Fd())); e == nil {
		t.live, t.liveWidth = wantsLive(os.Getenv), w
	}
	return t
}

// wantsColour follows no-color.org: any value but the empty one says no.
func wantsColour(lookup func(string) (string, bool)) bool {
	if v, ok := lookup("NO_COLOR"); ok && v != "" {
		return false
	}
	v, _ := lookup("TERM")
	return v != "dumb"
}

func wantsLive(env func(string) string) bool { return env("TERM") != "dumb" && env("TERM") != "" }

// utf8Locale goes by the first of the variables that setlocale(3) heeds. With
// none set the text is plain ASCII.
func utf8Locale(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(name); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}
