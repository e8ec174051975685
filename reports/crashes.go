// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"fmt"
	"strings"

	"skleak/record"
)

// sameCrash is one crash on all the kernels that had it.
type sameCrash struct {
	first record.Crash
	// where names the kernels, each with what ran there.
	where []string
}

// sameCrashes joins the crashes of all runs by their fingerprints, in the order
// they came.
func sameCrashes(rep record.Report) []sameCrash {
	var all []sameCrash
	number := map[string]int{}
	for _, run := range rep.Runs {
		for _, c := range run.Crashes {
			key := c.Fingerprint()
			i, there := number[key]
			if !there {
				i = len(all)
				number[key] = i
				all = append(all, sameCrash{first: c})
			}
			all[i].where = append(all[i].where, run.Kernel.Name()+crashDuring(c))
		}
	}
	return all
}

// crashDuring says what was under way.
func crashDuring(c record.Crash) string {
	switch {
	case c.Scenario != "":
		return " in " + c.Scenario
	case len(c.Among) > 0:
		return " in one of " + record.JoinNames(c.Among)
	}
	return " with no scenario under way"
}

// line is all there is to say of it.
func (c sameCrash) line() string {
	text := c.first.Text
	if len(c.first.Frames) > 0 {
		text = c.first.Fingerprint() + ": " + text
	}
	return fmt.Sprintf("%s (%s)", text, strings.Join(c.where, "; "))
}

// crashLine is a crash of one run.
func crashLine(c record.Crash) string {
	return sameCrash{first: c, where: []string{strings.TrimPrefix(crashDuring(c), " ")}}.line()
}

// crashes says how often which kernel crashed.
func (p painter) crashes(out *bytes.Buffer, rep record.Report) {
	for _, c := range sameCrashes(rep) {
		out.WriteByte('\n')
		p.paragraph(out, "", p.status(record.Fail)+"  "+p.bold("the kernel crashed: ")+p.safe(c.line()))
	}
}
