// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"skleak/record"
)

// heartbeatEvery is how often a guest shows that it lives.
const heartbeatEvery = 2 * time.Second

// heartbeat says whether e only shows that the guest lives: a note without text.
func heartbeat(e record.Event) bool { return e.Kind == record.EventNote && e.Text == "" }

// Worker is the guest's process that runs the scenarios and sends the events.
// runner makes what runs them out of the host's VM.Options. It returns the
// exit status.
func Worker(runner func(options json.RawMessage) (Runner, error)) int {
	w := worker{runner: runner, request: guestRequest, notes: guestNotes, open: openChannel}
	if err := w.run(context.Background()); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", initPrefix, err)
		return 1
	}
	return 0
}

type worker struct {
	runner  func(options json.RawMessage) (Runner, error)
	request string
	notes   string
	open    func() (io.WriteCloser, error)
}

func (w worker) run(ctx context.Context) (err error) {
	out, err := w.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	enc := record.NewEncoder(out)
	stop := beat(enc)
	err = w.serve(ctx, enc)
	stop()
	if err != nil {
		if err := enc.Encode(record.Event{Kind: record.EventTrouble, Text: err.Error()}); err != nil {
			return err
		}
	}
	return enc.Encode(record.Event{Kind: record.EventBye})
}

// beat sends heartbeats until stop is called.
func beat(enc *record.Encoder) (stop func()) {
	ticker := time.NewTicker(heartbeatEvery)
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ticker.C:
				_ = enc.Encode(record.Event{Kind: record.EventNote})
			case <-quit:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(quit)
		wg.Wait()
	}
}

func (w worker) serve(ctx context.Context, enc *record.Encoder) error {
	req, err := readRequest(w.request)
	if err != nil {
		return err
	}
	if err := enc.Encode(record.Event{Kind: record.EventNote}); err != nil || req.Mode == ModeHello {
		return err
	}
	if err := w.sendNotes(enc); err != nil {
		return err
	}
	if req.Mode == ModeCommand {
		return w.command(ctx, req, enc)
	}
	r, err := w.runner(req.Options)
	if err != nil {
		return err
	}
	for e, err := range r.Run(ctx, req.Scenarios) {
		if err != nil {
			return err
		}
		send := enc.Encode
		if e.CanWait() {
			send = enc.EncodeLater
		}
		if err := send(e); err != nil {
			return err
		}
	}
	return nil
}

// sendNotes tells what /init noted.
func (w worker) sendNotes(enc *record.Encoder) error {
	data, err := os.ReadFile(w.notes)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the notes of /init: %w", err)
	}
	var notes []string
	if err := json.Unmarshal(data, &notes); err != nil {
		return fmt.Errorf("read the notes of /init: %w", err)
	}
	for _, text := range notes {
		if err := enc.Encode(record.Event{Kind: record.EventNote, Text: text}); err != nil {
			return err
		}
	}
	return nil
}
