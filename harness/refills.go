package harness

import "sync"

// refills knows when a sandbox that had waited fills its links again: skbs that
// another one would count as its own.
type refills struct {
	mu           sync.Mutex
	begun, going int
}

// watch begins to look. What it gives says whether any sandbox but the caller's
// own refilled since, or was at it then.
func (r *refills) watch() (disturbed func(own int) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	begun, going := r.begun, r.going
	return func(own int) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return going > 0 || r.begun-begun > own
	}
}

func (r *refills) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	r.going++
}

// end ends n refills.
func (r *refills) end(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.going -= n
}
