package vm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"time"

	"skleak/kernels"
	"skleak/record"
	"skleak/scenarios"
)

// Runner is what runs scenarios inside the guest.
type Runner interface {
	Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error]
}

// DefaultMemory is a guest's memory in MB.
const DefaultMemory = 512

// Deadlines bound a guest.
type Deadlines struct {
	// Boot is from QEMU's start to the first event.
	Boot time.Duration
	// Quiet is the longest a guest may say nothing. It sends a sign of life every
	// two seconds; how long a scenario may take is the guest's own affair.
	Quiet time.Duration
	// Total bounds one guest.
	Total time.Duration
}

// DefaultDeadlines are for a busy machine without KVM, where a boot takes 2 s
// when all is well.
func DefaultDeadlines() Deadlines {
	return Deadlines{Boot: 2 * time.Minute, Quiet: time.Minute, Total: time.Hour}
}

// VM runs scenarios in guests of one kernel.
type VM struct {
	Kernel *kernels.Kernel
	// ConfigSum is the sha256 of the kernel's config, for the report; "" if unknown.
	ConfigSum string
	// Self is the static binary that becomes /init.
	Self string
	// Options are handed to the guest's runner as they are.
	Options json.RawMessage
	// Accel is AccelTCG or AccelKVM; see Chooser.
	Accel Accel
	// Memory is a guest's in MB; 0 is DefaultMemory.
	Memory    int
	Deadlines Deadlines
	// Keep is a folder for the last guest's initramfs, console and QEMU command;
	// "" keeps nothing.
	Keep string
	// Replay is the command that does the same again, for who reads of trouble.
	Replay string
	// Extra maps paths in the guest to files of this machine.
	Extra map[string]string
	// all are the scenarios whose modules the guest gets.
	all []scenarios.Scenario
}

func (v VM) memory() int {
	if v.Memory == 0 {
		return DefaultMemory
	}
	return v.Memory
}

// initramfs writes what the guest of a request needs.
func (v VM) initramfs(req request, w io.Writer) error {
	if err := checkStatic(v.Self); err != nil {
		return err
	}
	modules, err := loadOrder(v.Kernel, wantedModules(v.all))
	if err != nil {
		return err
	}
	return initramfs{self: v.Self, modules: modules, request: req, extra: v.Extra}.write(w)
}

// errNoPVH says that QEMU cannot start a kernel.
var errNoPVH = errors.New("it has no PVH entry that QEMU could start it by; build it with CONFIG_PVH=y")

// ready says whether the kernel can be booted at all.
func (v VM) ready() error {
	if !v.Kernel.PVH {
		return &InfraError{Kernel: string(v.Kernel.Name), Err: errNoPVH}
	}
	return nil
}

// Run boots a guest and runs list in it. When the guest dies, the scenario
// under way gets trouble with the kernel's words, and the rest goes on in a
// fresh guest; of several under way each is tried again alone, so that only
// the one to blame is blamed. Its error is a *BootError or an *InfraError of a
// guest that never ran anything, or that of ctx.
func (v VM) Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		if err := v.ready(); err != nil {
			yield(record.Event{}, err)
			return
		}
		s := &session{vm: v, yield: yield, todo: [][]scenarios.Scenario{list}}
		s.run(ctx)
	}
}

// maxGuests bounds the guests of one Run.
const maxGuests = 16

// session is one Run.
type session struct {
	vm    VM
	yield func(record.Event, error) bool
	// todo are lists of scenarios, each for a guest of its own.
	todo   [][]scenarios.Scenario
	guests int
	// said is set when a guest has said anything.
	said bool
}

func (s *session) run(ctx context.Context) {
	for len(s.todo) > 0 {
		list := s.todo[0]
		s.todo = s.todo[1:]
		if s.guests == maxGuests {
			if !s.trouble(list, "not run: the guest died too often before") {
				return
			}
			continue
		}
		s.guests++
		p := &progress{state: map[string]stage{}}
		err := s.one(ctx, list, p)
		switch {
		case errors.Is(err, errStopped):
			return
		case ctx.Err() != nil:
			s.yield(record.Event{}, ctx.Err())
			return
		case err != nil && !s.said:
			s.yield(record.Event{}, err)
			return
		}
		if !s.after(list, p, err) {
			return
		}
	}
}

// one boots a guest for list and follows it to its end.
func (s *session) one(ctx context.Context, list []scenarios.Scenario, p *progress) error {
	yaml, err := encodeScenarios(list)
	if err != nil {
		return err
	}
	v := s.vm
	v.all = list
	g, err := v.boot(request{Mode: ModeRun, Scenarios: yaml, Options: v.Options})
	if err != nil {
		return err
	}
	err = g.follow(ctx, func(e record.Event) bool {
		s.said = true
		if e.Kind == record.EventAsk {
			if err := g.cards.answer(e.Text); err != nil {
				return s.yield(record.Event{Kind: record.EventNote, Text: err.Error()}, nil)
			}
			return true
		}
		p.see(e)
		return s.yield(v.signed(e), nil)
	})
	return errors.Join(err, g.close())
}

// signed puts the kernel's name where the guest could only say "host".
func (v VM) signed(e record.Event) record.Event {
	if e.Kernel != nil {
		e.Kernel.Source, e.Kernel.Config = string(v.Kernel.Name), v.ConfigSum
	}
	if e.Trace != nil {
		e.Trace.Kernel.Source, e.Trace.Kernel.Config = string(v.Kernel.Name), v.ConfigSum
	}
	return e
}

// after decides what becomes of what a guest did not finish.
func (s *session) after(list []scenarios.Scenario, p *progress, err error) bool {
	var underWay, rest []scenarios.Scenario
	for _, sc := range list {
		switch p.state[sc.Name] {
		case begun:
			underWay = append(underWay, sc)
		case waiting:
			rest = append(rest, sc)
		}
	}
	if err == nil {
		return s.trouble(append(underWay, rest...), "the guest ended without a word on it")
	}
	switch {
	case len(underWay) == 1:
		if !s.trouble(underWay, Explain(err)) {
			return false
		}
	case len(underWay) > 1:
		for _, sc := range underWay {
			s.todo = append(s.todo, []scenarios.Scenario{sc})
		}
	case len(rest) == len(list):
		return s.trouble(rest, Explain(err))
	}
	if len(rest) > 0 {
		s.todo = slices.Insert(s.todo, 0, rest)
	}
	return true
}

func (s *session) trouble(list []scenarios.Scenario, text string) bool {
	for _, sc := range list {
		if !s.yield(record.Event{Kind: record.EventTrouble, Scenario: sc.Name, Text: text}, nil) {
			return false
		}
	}
	return true
}

// stage is how far a scenario is.
type stage int

const (
	waiting stage = iota
	begun
	ended
)

// progress follows the scenarios of one guest.
type progress struct{ state map[string]stage }

func (p *progress) see(e record.Event) {
	switch {
	case e.Scenario == "":
	case e.Ends():
		p.state[e.Scenario] = ended
	case p.state[e.Scenario] == waiting:
		p.state[e.Scenario] = begun
	}
}
