// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"github.com/fatih/color"

	"skleak/record"
)

// painter knows how to show things to the reader that Options describe.
type painter struct{ Options }

func newPainter(o Options) painter { return painter{o} }

func (p painter) safe(s string) string { return harmless(s, p.ASCII) }

// paint colours s. The library would look at the environment; here the caller
// has decided.
func (p painter) paint(s string, attrs ...color.Attribute) string {
	if !p.Colour || s == "" {
		return s
	}
	c := color.New(attrs...)
	c.EnableColor()
	return c.Sprint(s)
}

func (p painter) bold(s string) string { return p.paint(s, color.Bold) }
func (p painter) dim(s string) string  { return p.paint(s, color.Faint) }

// status is the status with its sign.
func (p painter) status(s record.Status) string {
	sign, plain, attr := "?", "?", color.FgMagenta
	switch s {
	case record.Pass:
		sign, plain, attr = "✓", "+", color.FgGreen
	case record.XFail:
		sign, plain, attr = "≈", "~", color.FgYellow
	case record.Fail:
		sign, plain, attr = "✗", "x", color.FgRed
	case record.Skip:
		sign, plain, attr = "·", ".", color.Faint
	case record.Broken, record.Error:
		sign, plain = "!", "!"
	}
	if p.ASCII {
		sign = plain
	}
	return p.paint(sign+" "+p.safe(string(s)), attr)
}

// verdict is the verdict, loud where it is bad whatever was expected.
func (p painter) verdict(r record.Result) string {
	v := p.safe(string(r.Verdict))
	if r.Flaky {
		v += " (flaky)"
	}
	switch r.Verdict {
	case record.Underflow, record.Leaked, record.Orphaned, record.LostWakeup:
		return p.paint(v, color.FgRed, color.Bold)
	case record.Stalled:
		return p.paint(v, color.FgRed)
	case record.Held, record.Refused:
		return p.paint(v, color.FgYellow)
	default:
		return v
	}
}
