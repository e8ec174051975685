package harness

import "sync"

// fills knows when a sandbox fills its links, at its beginning or, having waited,
// again: skbs that another one would count as its own.
type fills struct {
	mu sync.Mutex
	// begun are all fills, going the refills that are not over.
	begun, going int
}

// start counts the first fill of the caller, and begins to look. What it gives
// says whether any sandbox but the caller's own, with so many refills, filled
// since or was refilling then.
func (r *fills) start() (disturbed func(refills int) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	begun, going := r.begun, r.going
	return func(refills int) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return going > 0 || r.begun-begun > refills
	}
}

// refill counts one more.
func (r *fills) refill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	r.going++
}

// end ends n refills.
func (r *fills) end(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.going -= n
}
