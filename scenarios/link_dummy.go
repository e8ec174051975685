// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// DummyOptions are the options of a dummy.
type DummyOptions struct{}

// Dummy is the record of the kind.
func (linkTable) Dummy() linkKind {
	return linkKind{
		Kind:    Kind{Name: "dummy", About: "link that drops all it is given", Config: []string{"CONFIG_DUMMY"}, Modules: []string{"dummy"}},
		options: func() LinkOptions { return &DummyOptions{} },
	}
}

// Kind implements LinkOptions.
func (*DummyOptions) Kind() string { return "dummy" }

// Lower implements LinkOptions.
func (*DummyOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (*DummyOptions) Check() error { return nil }

func (*DummyOptions) fields() []field { return nil }
