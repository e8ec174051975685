// SPDX-License-Identifier: GPL-2.0-only

package record

// EventVersion is the version of the event stream. A reader refuses any other.
const EventVersion = 1

// EventKind says which part of an Event is filled.
type EventKind string

// The kinds of event, in the order a scenario sends them.
const (
	// EventHello opens a stream; Kernel is set.
	EventHello EventKind = "hello"
	// EventBegin starts a scenario.
	EventBegin EventKind = "begin"
	// EventPhase tells what a scenario is doing: Text is one of the Phase names.
	EventPhase EventKind = "phase"
	// EventSample is a live reading of the charge; thinned, for progress only.
	EventSample EventKind = "sample"
	// EventNote is a line for the reader that is no verdict; Text is set.
	EventNote EventKind = "note"
	// EventAsk is a guest that wants what only its host can do: Text is one of the
	// Ask words and what it is about. It goes no further than the host.
	EventAsk EventKind = "ask"
	// EventTrace ends a scenario that ran; Trace is set.
	EventTrace EventKind = "trace"
	// EventSkip ends a scenario this kernel or machine cannot run.
	EventSkip EventKind = "skip"
	// EventTrouble ends a scenario that our own trouble stopped.
	EventTrouble EventKind = "trouble"
	// EventCrash tells of a kernel that crashed; Crash is set. It ends no scenario.
	EventCrash EventKind = "crash"
	// EventOutput is what a guest's command wrote: Text is OutputOut or OutputErr,
	// Data the bytes.
	EventOutput EventKind = "output"
	// EventExit tells how a guest's command ended: Exit is set.
	EventExit EventKind = "exit"
	// EventBye closes a stream that is complete.
	EventBye EventKind = "bye"
)

// The phases of a scenario.
const (
	PhaseBuild     = "build"
	PhaseCalibrate = "calibrate"
	PhaseTraffic   = "traffic"
	// PhaseFull is that of a sender that waits on a full socket.
	PhaseFull     = "full"
	PhaseSettle   = "settle"
	PhasePatience = "patience"
	PhaseRefill   = "refill"
	PhaseLadder   = "ladder"
	PhaseLaw      = "law"
	PhaseClose    = "close"
	// PhaseLater is that of a scenario whose skbs were counted, and that waits for
	// its experiment: nothing of it is under way.
	PhaseLater = "later"
)

// AskUnplug wants the cable of a network card pulled: "unplug MAC".
const AskUnplug = "unplug"

// Where a guest's command wrote.
const (
	OutputOut = "stdout"
	OutputErr = "stderr"
)

// Exit is how a guest's command ended.
type Exit struct {
	// Status is its exit status; 128 and the signal's number after a signal, 126
	// or 127 where it could not be started, as a shell has it.
	Status int `json:"status"`
	// Text says why it could not be started.
	Text string `json:"text,omitempty"`
}

// Event is one line of the stream a sandbox, or a guest, sends.
type Event struct {
	// V is EventVersion; Seq counts from 1 without a gap within one stream.
	V        int       `json:"v"`
	Seq      uint64    `json:"seq"`
	Kind     EventKind `json:"kind"`
	Scenario string    `json:"scenario,omitempty"`
	// AtNs is nanoseconds since the stream began.
	AtNs int64 `json:"at_ns"`

	Kernel *Kernel `json:"kernel,omitempty"`
	Text   string  `json:"text,omitempty"`
	// Hint goes with a skip or trouble: what to do.
	Hint   string `json:"hint,omitempty"`
	Sample *Point `json:"sample,omitempty"`
	Trace  *Trace `json:"trace,omitempty"`
	Crash  *Crash `json:"crash,omitempty"`
	Data   []byte `json:"data,omitempty"`
	Exit   *Exit  `json:"exit,omitempty"`
}

// CanWait reports whether e may as well come with the next event: a phase that
// is over in a moment, and that nobody else's turn hangs on.
func (e Event) CanWait() bool {
	if e.Kind != EventPhase {
		return false
	}
	switch e.Text {
	case PhaseBuild, PhaseCalibrate, PhaseTraffic, PhaseClose:
		return true
	}
	return false
}

// Ends reports whether e is the last event of its scenario.
func (e Event) Ends() bool {
	return e.Kind == EventTrace || e.Kind == EventSkip || e.Kind == EventTrouble
}
