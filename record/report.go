// SPDX-License-Identifier: GPL-2.0-only

package record

// ReportSchema is the version of Report. Keys may be added, not renamed.
const ReportSchema = "skleak/1"

// Report is what `skleak run --json` prints: one run per kernel.
type Report struct {
	Schema string `json:"schema"`
	Runs   []Run  `json:"runs"`
	// Shard is set on a part of a matrix.
	Shard *Shard `json:"shard,omitempty"`
}

// Run is the catalogue, or a part of it, on one kernel.
type Run struct {
	Kernel Kernel `json:"kernel"`
	// Controls are the scenarios that show the instrument works.
	Controls []Result `json:"controls"`
	Results  []Result `json:"results"`
	// Interrupted is set when the run was stopped before its end.
	Interrupted bool `json:"interrupted,omitempty"`
	// Missing names the scenarios that an interrupted run has no result of.
	Missing []string `json:"missing,omitempty"`
	// Trouble says why a kernel has no or too few results; "" when it has them.
	Trouble string `json:"trouble,omitempty"`
	// Crashes are the kernel's; each is a failure, whatever it was that ran.
	Crashes []Crash `json:"crashes,omitempty"`
	// Notes are lines for the reader that are no verdict: what could not be
	// measured, what was freed of a killed run.
	Notes   []string `json:"notes,omitempty"`
	Seconds float64  `json:"seconds"`
}

// Kernel is what ran, and where it came from.
type Kernel struct {
	// Release and Version are uname's; Arch is uname's machine.
	Release string `json:"release"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	// Source is "host", or the name the kernel store knows it by.
	Source  string `json:"source"`
	Cmdline string `json:"cmdline,omitempty"`
	// Config is the sha256 of the kernel's config where it is known.
	Config string `json:"config,omitempty"`
}

// Result is one scenario's finding against what was expected.
// A nil pointer means never, or not measured.
type Result struct {
	Scenario string  `json:"scenario"`
	Status   Status  `json:"status"`
	Verdict  Verdict `json:"verdict"`
	// Expected are the verdicts a sound kernel may show, joined by " or ".
	Expected string `json:"expected"`
	Known    *Known `json:"known"`

	Packets int            `json:"packets"`
	Refused map[string]int `json:"refused"`
	// Reported counts ICMP errors about earlier packets.
	Reported map[string]int `json:"reported,omitempty"`

	PeakBytes      int64   `json:"peak_bytes"`
	HeldBytes      int64   `json:"held_bytes"`
	BytesPerPacket float64 `json:"bytes_per_packet"`
	Truesize       int64   `json:"truesize"`
	SndBuf         int64   `json:"sndbuf"`
	Writable       bool    `json:"writable"`

	SelfReleaseMs  *int64   `json:"self_release_ms"`
	PacketsToStall *int     `json:"packets_to_stall"`
	StallRatePPS   *float64 `json:"stall_rate_pps"`
	Law            string   `json:"law"`

	Holder string `json:"holder"`
	// HolderBy says who named Holder: of a leak "stages", and where a ledger was
	// kept "ladder", "ledger", "ladder and ledger", "stages and ledger", or "they
	// differ", and Holder has both.
	HolderBy      string       `json:"holder_by,omitempty"`
	ReleasedBy    string       `json:"released_by"`
	Ladder        []LadderStep `json:"ladder"`
	PinnedSockets int          `json:"pinned_sockets"`
	// Stages account for the packets along their way, where something was held.
	Stages   []Stage        `json:"stages,omitempty"`
	Witness  []Witness      `json:"witness"`
	Ledger   *Ledger        `json:"ledger,omitempty"`
	Sockets  []SocketResult `json:"sockets"`
	Attempts []Attempt      `json:"attempts"`
	Flaky    bool           `json:"flaky,omitempty"`
	// Orphans is "not checked", or the number of skbs that never came free.
	Orphans string `json:"orphans"`

	// Reason says why: of a skip, an error, a broken run; or the evidence of the verdict.
	Reason string `json:"reason"`
	// Hint says what to do about Reason.
	Hint string `json:"hint,omitempty"`
	// Warnings are kernel log lines of refcount or skb trouble during the
	// scenario. In a guest they make a pass a fail; on a host they may be another's.
	Warnings []string `json:"warnings,omitempty"`
	Modules  []string `json:"modules,omitempty"`
	// LawCheck holds the paced runs of --verify-law.
	LawCheck *LawCheck `json:"law_check,omitempty"`
	// Spark is the charge over time in few points, for a sparkline.
	Spark   []int64 `json:"spark,omitempty"`
	Seconds float64 `json:"seconds"`
}

// LadderStep is a rung as a report shows it.
type LadderStep struct {
	Rung   string `json:"rung"`
	On     string `json:"on,omitempty"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	Error  string `json:"error,omitempty"`
}

// SocketResult is one sending socket as a report shows it.
type SocketResult struct {
	Name      string           `json:"name"`
	SndBuf    int64            `json:"sndbuf"`
	Packets   int              `json:"packets"`
	PeakBytes int64            `json:"peak_bytes"`
	HeldBytes int64            `json:"held_bytes"`
	Meters    map[string]int64 `json:"meters,omitempty"`
	// SilentTimes is how often poll would have said not writable while packets were
	// sent and after, SilentMs the longest of these times, Silences the first ones.
	SilentTimes int       `json:"silent_times"`
	SilentMs    int64     `json:"silent_ms"`
	Silences    []Silence `json:"silences,omitempty"`
	// StalledOn is the link of the last packet before the first of them, where the
	// sender met it; Links are those of a socket that serves several.
	StalledOn string      `json:"stalled_on,omitempty"`
	Links     []LinkTrace `json:"links,omitempty"`
}

// Attempt is one try of a scenario; a fail is tried once more.
type Attempt struct {
	Verdict   Verdict `json:"verdict"`
	Status    Status  `json:"status"`
	HeldBytes int64   `json:"held_bytes"`
	Holder    string  `json:"holder"`
	Reason    string  `json:"reason,omitempty"`
}

// ExitCode is the exit status for a report: broken 2, else fail 1, else error
// 2, else everything skipped 4, else 0. With strict an xfail counts as a fail.
// A run that has trouble of its own, or was interrupted, counts as an error,
// and a crash of the kernel as a fail. A control counts where it did not pass.
func (r Report) ExitCode(strict bool) int {
	n := map[Status]int{}
	total := 0
	for _, run := range r.Runs {
		if run.Trouble != "" || run.Interrupted {
			n[Error]++
		}
		n[Fail] += len(run.Crashes)
		for _, res := range run.Results {
			n[res.Status]++
			total++
		}
		for _, res := range run.Controls {
			if res.Status == Broken || res.Status == Fail || res.Status == Error {
				n[res.Status]++
			}
		}
	}
	if strict {
		n[Fail] += n[XFail]
	}
	switch {
	case n[Broken] > 0:
		return 2
	case n[Fail] > 0:
		return 1
	case n[Error] > 0:
		return 2
	case total > 0 && n[Skip] == total:
		return 4
	default:
		return 0
	}
}
