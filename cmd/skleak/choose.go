// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	"skleak/internal/spelling"
	"skleak/scenarios"
)

// choose finds the scenarios that args name: a case (tun/unread), a family
// (tun), a pattern (stack/*) or a YAML file. No argument means all. The
// catalogue's controls come along always.
func choose(ctx context.Context, args []string) (list, controls []scenarios.Scenario, err error) {
	all, err := scenarios.Catalogue()
	if err != nil {
		return nil, nil, err
	}
	for _, sc := range all {
		if sc.Control == scenarios.NotControl {
			list = append(list, sc)
		} else {
			controls = append(controls, sc)
		}
	}
	if len(args) == 0 {
		return list, controls, nil
	}
	var chosen []scenarios.Scenario
	for _, arg := range args {
		found, err := chooseOne(ctx, arg, all)
		if err != nil {
			return nil, nil, err
		}
		for _, sc := range found {
			if err := noClash(slices.Concat(chosen, controls), sc, arg); err != nil {
				return nil, nil, err
			}
			if !has(chosen, sc.Name) {
				chosen = append(chosen, sc)
			}
		}
	}
	return chosen, controls, nil
}

func has(list []scenarios.Scenario, name string) bool {
	return slices.ContainsFunc(list, func(s scenarios.Scenario) bool { return s.Name == name })
}

// noClash refuses two different scenarios of one name: results go by it. The
// same one may be named twice.
func noClash(chosen []scenarios.Scenario, sc scenarios.Scenario, from string) error {
	for _, other := range chosen {
		// A control asked for by name is not marked as one.
		other.Control = sc.Control
		if other.Name == sc.Name && !reflect.DeepEqual(other, sc) {
			return fmt.Errorf("%s: another scenario is called %s too; rename one", from, sc.Name)
		}
	}
	return nil
}

func chooseOne(ctx context.Context, arg string, all []scenarios.Scenario) ([]scenarios.Scenario, error) {
	var found []scenarios.Scenario
	for _, sc := range all {
		matched, err := path.Match(arg, sc.Name)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w; write one like tun/* or */unread", arg, err)
		}
		if sc.Name == arg || matched || sc.Family() == arg {
			// A control asked for by name is reported like any other scenario.
			sc.Control = scenarios.NotControl
			found = append(found, sc)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if looksLikeFile(arg) {
		return readFile(ctx, arg)
	}
	return nil, fmt.Errorf("no scenario %q; %s`skleak list` has them all", arg, meant(arg, all))
}

func looksLikeFile(arg string) bool {
	if strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") || strings.HasSuffix(arg, ".json") {
		return true
	}
	_, err := os.Stat(arg)
	return err == nil
}

func readFile(ctx context.Context, name string) ([]scenarios.Scenario, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no file %s; name a YAML file of scenarios that is there", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read scenarios: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder; name the scenario files in it", name)
	}
	return scenarios.ReadFile(ctx, name)
}

// meant suggests the names closest to name; "" when nothing is near.
func meant(name string, all []scenarios.Scenario) string {
	names := make([]string, 0, len(all))
	for _, sc := range all {
		names = append(names, sc.Name)
	}
	near := spelling.Nearest(name, names)
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, ", ") + "? "
}
