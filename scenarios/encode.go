// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// Encode writes scenarios as the file that Decode reads back to the same. It
// does not check them. A payload is written as hex; keys at their default are
// left out.
func Encode(w io.Writer, list []Scenario) error {
	all := scenarioList{list}
	data, err := yaml.MarshalWithOptions(encodeFields(all.fields()), yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("encode scenarios: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("write scenarios: %w", err)
	}
	return nil
}
