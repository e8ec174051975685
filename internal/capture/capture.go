// SPDX-License-Identifier: GPL-2.0-only

// Package capture keeps a bounded part of what a program writes, to tell of it
// when the program fails. It needs nothing; try it with
//
//	go test ./internal/capture
package capture

import (
	"bytes"
	"sync"
)

// Head keeps the first Limit bytes written to it and drops the rest. It is safe
// to read while others write.
type Head struct {
	// Limit is how many bytes are kept.
	Limit int
	kept
}

// Write implements io.Writer; it never fails.
func (h *Head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, p[:min(len(p), max(0, h.Limit-len(h.text)))]...)
	return len(p), nil
}

// Tail keeps the last Limit bytes written to it. It is safe to read while others
// write.
type Tail struct {
	// Limit is how many bytes are kept.
	Limit int
	kept
}

// Write implements io.Writer; it never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-t.Limit):]...)
	t.text = t.text[max(0, len(t.text)-t.Limit):]
	return len(p), nil
}

type kept struct {
	mu   sync.Mutex
	text []byte
}

// String is what is kept.
func (k *kept) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return string(k.text)
}

// Contains says whether text is in what is kept.
func (k *kept) Contains(text string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Contains(k.text, []byte(text))
}
