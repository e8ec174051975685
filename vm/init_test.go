// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// fakeSystem notes what /init asks for.
type fakeSystem struct {
	calls []string
	fail  map[string]error
	// ends are the children that end, in turn.
	ends []ending
}

type ending struct {
	pid int
	how string
	err error
}

func (f *fakeSystem) call(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	f.calls = append(f.calls, text)
	return f.fail[text]
}

func (f *fakeSystem) Mount(_, target, _ string) error { return f.call("mount %s", target) }
func (f *fakeSystem) Load(file string) error          { return f.call("load %s", file) }
func (f *fakeSystem) LoopbackUp() error               { return f.call("lo up") }
func (f *fakeSystem) PowerOff() error                 { return f.call("power off") }
func (f *fakeSystem) Start(argv, _ []string, tty bool) (int, error) {
	return 7, f.call("start %s tty=%t", argv[:2], tty)
}

func (f *fakeSystem) Wait() (int, string, error) {
	if len(f.ends) == 0 {
		return 0, "", unix.ECHILD
	}
	e := f.ends[0]
	f.ends = f.ends[1:]
	return e.pid, e.how, e.err
}

func TestInitProcess(t *testing.T) {
	worker := ending{pid: 7}
	for _, c := range []struct {
		name  string
		mode  Mode
		fail  map[string]error
		ends  []ending
		err   string
		notes string
		last  string
	}{
		{name: "all is well", ends: []ending{{err: unix.EINTR}, {pid: 9, how: "killed"}, worker}, last: "start [/init guest-worker] tty=false"},
		{name: "a shell", mode: ModeShell, ends: []ending{{pid: 7, how: "exit status 3"}}, last: "start [/bin/busybox sh] tty=true"},
		{name: "dev is mounted", fail: map[string]error{"mount /dev": unix.EBUSY}, ends: []ending{worker}},
		{name: "no proc", fail: map[string]error{"mount /proc": unix.ENODEV}, err: "mount /proc: no such device", last: "mount /proc"},
		{name: "a module is there", fail: map[string]error{"load /a.ko": unix.EEXIST}, ends: []ending{worker}},
		{name: "a module fails", fail: map[string]error{"load /a.ko": unix.ENOEXEC}, ends: []ending{worker}, notes: "module a was not loaded: exec format error"},
		{name: "a soft module fails", fail: map[string]error{"load /b.ko": unix.ENODEV}, ends: []ending{worker}},
		{name: "the worker is killed", ends: []ending{{pid: 7, how: "killed"}}, err: "guest-worker ended: killed"},
		{name: "no child is left", err: "wait for process 7"},
		{name: "no lo", fail: map[string]error{"lo up": unix.EPERM}, err: "bring lo up", last: "lo up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			req := request{Mode: c.mode, Modules: []guestModule{{Name: "a", File: "/a.ko"}, {Name: "b", File: "/b.ko", Soft: true}}}
			data, err := json.Marshal(req)
			if err != nil {
				t.Fatal(err)
			}
			i := guestInitProcess{request: filepath.Join(dir, "request"), notes: filepath.Join(dir, "notes"), console: io.Discard}
			if err := os.WriteFile(i.request, data, 0o600); err != nil {
				t.Fatal(err)
			}
			system := &fakeSystem{fail: c.fail, ends: c.ends}
			i.system = system
			err = i.run()
			if got := fmt.Sprint(err); (c.err == "") != (err == nil) || !strings.Contains(got, c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			notes, _ := os.ReadFile(i.notes)
			if !strings.Contains(string(notes), c.notes) || (c.notes == "") != (len(notes) == 0) {
				t.Errorf("notes %s, want %q", notes, c.notes)
			}
			if last := system.calls[len(system.calls)-1]; c.last != "" && last != c.last {
				t.Errorf("the last call is %q, want %q", last, c.last)
			}
		})
	}
}

func TestOnlyProcessOneWithARequestIsInit(t *testing.T) {
	if IsInit() {
		t.Error("a test is no guest's init")
	}
}

// fakeRunner yields what it is told.
type fakeRunner struct {
	events []record.Event
	err    error
}

func (f fakeRunner) Run(context.Context, []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		for _, e := range f.events {
			if !yield(e, nil) {
				return
			}
		}
		if f.err != nil {
			yield(record.Event{}, f.err)
		}
	}
}

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

func TestWorker(t *testing.T) {
	dir := t.TempDir()
	req, notes := filepath.Join(dir, "request"), filepath.Join(dir, "notes")
	for file, text := range map[string]string{
		req: `{"mode":"run","scenarios":[{"Name":"a/b"}],"options":{"a":1}}`, notes: `["module x was not loaded"]`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := &buffer{}
	w := worker{request: req, notes: notes, open: func() (io.WriteCloser, error) { return out, nil }}
	w.runner = func(o json.RawMessage) (Runner, error) {
		if string(o) != `{"a":1}` {
			t.Errorf("options %s", o)
		}
		return fakeRunner{[]record.Event{{Kind: record.EventBegin, Scenario: "a/b"}}, errors.New("no sandbox here")}, nil
	}
	if err := w.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	dec := record.NewDecoder(out)
	for {
		e, err := dec.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Scenario, e.Text)))
	}
	want := "note; note  module x was not loaded; begin a/b; trouble  no sandbox here; bye"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("events %q, want %q", text, want)
	}
}

func TestFindPort(t *testing.T) {
	dir := t.TempDir()
	driver := filepath.Join(dir, "driver")
	if name, err := findPort(dir, driver, 0); name != "" || err != nil {
		t.Errorf("without a driver: %q, %v", name, err)
	}
	for port, text := range map[string]string{"vport0p1": "other", "vport0p2": eventsPort + "\n"} {
		if err := os.MkdirAll(filepath.Join(dir, port), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, port, "name"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if name, err := findPort(dir, driver, 0); name != "vport0p2" || err != nil {
		t.Errorf("got %q, %v", name, err)
	}
}
