// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"strings"

	"skleak/record"
)

// maxCharts bounds the charts of one file.
const maxCharts = 60

// writeSVG draws the charge of each result that has a trace, one below the other.
func writeSVG(w io.Writer, rep record.Report, o Options) error {
	var charts []string
	for _, run := range rep.Runs {
		for _, r := range run.Results {
			if len(charts) == maxCharts {
				break
			}
			if c := chargeChart(o.Evidence.trace(run.Kernel, r.Scenario), r.Scenario+" on "+run.Kernel.Name()); c != "" {
				charts = append(charts, c)
			}
		}
	}
	height := max(len(charts), 1) * chartHeight
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d"><style>%s</style>`,
		chartWidth, height, chartWidth, height, svgStyle())
	fmt.Fprintf(&out, `<rect width="%d" height="%d" style="fill:var(--page)"/>`, chartWidth, height)
	if len(charts) == 0 {
		fmt.Fprintf(&out, `<text class="l" x="20" y="40">No traces: a folder made by skleak run --save has them</text>`)
	}
	for i, c := range charts {
		out.WriteString(strings.Replace(c, `<svg `, fmt.Sprintf(`<svg y="%d" width="%d" height="%d" `, i*chartHeight, chartWidth, chartHeight), 1))
	}
	out.WriteString("</svg>\n")
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write the charts: %w", err)
	}
	return nil
}

// svgStyle is the part of the page's style that charts use.
func svgStyle() string {
	var keep []string
	for line := range strings.Lines(htmlStyle) {
		if strings.HasPrefix(line, ":root") || strings.HasPrefix(line, "@media (prefers") || strings.HasPrefix(line, ".chart .") || strings.HasPrefix(line, ".chart text") {
			keep = append(keep, line)
		}
	}
	return strings.ReplaceAll(strings.Join(keep, ""), ".chart ", "")
}
