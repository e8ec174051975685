// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"testing"

	"skleak/record"
)

// large is a report of so many kernels and scenarios, of every status.
func large(kernels, scenarios int) record.Report {
	rep := record.Report{Schema: record.ReportSchema}
	some := sampleRun().Results
	for k := range kernels {
		run := sampleRun()
		run.Kernel.Release = fmt.Sprintf("6.%d.0-%d-amd64", k/10, k)
		run.Kernel.Source = fmt.Sprintf("debian/6.%d", k)
		run.Results = make([]record.Result, scenarios)
		for i := range run.Results {
			r := some[i%len(some)]
			// As it is: nearly all are as expected.
			if i >= 3*len(some) {
				r = some[i%2]
			}
			r.Scenario = fmt.Sprintf("family%d/case-%d", i/10, i)
			run.Results[i] = r
		}
		rep.Runs = append(rep.Runs, run)
	}
	return rep
}

// BenchmarkFormats writes a report of 60 kernels and 300 scenarios, each with its
// trace, in every format. Two seconds are the most that one may take.
func BenchmarkFormats(b *testing.B) {
	rep := large(60, 300)
	for _, f := range Formats() {
		b.Run(f.Name, func(b *testing.B) {
			o := Options{Width: 120, Evidence: sampleEvidence()}
			if f.Redacted {
				o.Evidence.Redact = NewRedactor("server7.example.org")
			}
			size := &counter{}
			for b.Loop() {
				if err := f.Print(size, rep, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size.n)/float64(b.N)/1e6, "MB")
		})
	}
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return io.Discard.Write(p)
}
