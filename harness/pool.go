// SPDX-License-Identifier: GPL-2.0-only

package harness

import "sync"

// pool is the sandboxes of one run. Where they last, those that have nothing
// to do wait here for the next scenario.
type pool struct {
	registry Registry
	self     string
	lasts    bool

	mu   sync.Mutex
	idle []*sandbox
}

// take gives a sandbox in whose namespace nothing was done yet.
func (c *pool) take() (*sandbox, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		box := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		return box, nil
	}
	c.mu.Unlock()
	return startSandbox(c.registry, c.self, c.lasts)
}

// giveBack keeps a sound sandbox that lasts, and ends any other.
func (c *pool) giveBack(box *sandbox, sound bool) (how string, err error) {
	if !c.lasts || !sound {
		return box.finish()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, box)
	return "", nil
}

// dismiss ends the sandboxes that wait. How one that has served well ends is
// of no interest any more.
func (c *pool) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, box := range c.idle {
		_, _ = box.finish()
	}
	c.idle = nil
}
