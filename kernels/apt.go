package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// apt runs apt under a private state in dir, beside the machine's own.
type apt struct{ dir string }

// ErrNoArchive says that the machine's apt configuration has no Debian archive.
var ErrNoArchive = errors.New("apt's configuration on this machine has no Debian archive")

// config is private: own state, cache and sources. Whatever the machine's
// configuration allows, unsigned lists are refused. The hooks that clean up
// after the machine's own updates are taken out.
func (a apt) config() string {
	lines := []string{
		`#clear APT::Update;`,
		`#clear DPkg::Post-Invoke;`,
		`APT::Architecture "amd64";`,
		`#clear APT::Architectures;`,
		`APT::Architectures { "amd64"; };`,
		// NB: apt's user cannot enter a private cache; it would warn and go on as
		// root anyhow.
		`APT::Sandbox::User "";`,
		`APT::Get::AllowUnauthenticated "false";`,
		`Acquire::AllowInsecureRepositories "false";`,
		`Acquire::AllowWeakRepositories "false";`,
		`Acquire::AllowDowngradeToInsecureRepositories "false";`,
		`Acquire::Languages "none";`,
		`Acquire::Retries "2";`,
		`Acquire::http::Timeout "30";`,
		`Acquire::https::Timeout "30";`,
		`Dir::State "` + filepath.Join(a.dir, "state") + `";`,
		`Dir::State::status "/dev/null";`,
		`Dir::Cache "` + filepath.Join(a.dir, "cache") + `";`,
		`Dir::Cache::pkgcache "pkgcache.bin";`,
		`Dir::Etc::sourcelist "/dev/null";`,
		`Dir::Etc::sourceparts "` + filepath.Join(a.dir, "sources") + `";`,
		`Dir::Etc::preferences "/dev/null";`,
		`Dir::Etc::preferencesparts "/dev/null";`,
	}
	return strings.Join(lines, "\n") + "\n"
}

func (a apt) command(program string, args ...string) []string {
	return append([]string{program, "--config-file", filepath.Join(a.dir, "apt.conf")}, args...)
}

// machineSources reads the machine's apt sources, both formats.
func machineSources(ctx context.Context) ([]source, error) {
	var out bytes.Buffer
	_, err := command{
		argv: []string{"apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"},
		out:  &out,
	}.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask apt where its sources are: %w", err)
	}
	var files []string
	for line := range strings.Lines(out.String()) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, "'")
		if !strings.HasSuffix(value, "/") {
			files = append(files, value)
			continue
		}
		parts, err := filepath.Glob(value + "*")
		if err != nil {
			return nil, err
		}
		files = append(files, parts...)
	}
	return readSourceFiles(files)
}

func readSourceFiles(files []string) ([]source, error) {
	var all []source
	for _, file := range files {
		ext := filepath.Ext(file)
		if ext != ".list" && ext != ".sources" {
			continue
		}
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read apt's sources: %w", err)
		}
		if ext == ".list" {
			all = append(all, parseList(data)...)
			continue
		}
		found, err := parseSources(data)
		if err != nil {
			return nil, fmt.Errorf("read apt's sources %s: %w", file, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// prepare writes the private configuration and gives the suites in it.
func (a apt) prepare(found archives) ([]suite, error) {
	for _, dir := range []string{"state/lists/partial", "cache/archives/partial", "sources"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	suites := found.suites()
	files := map[string]string{"apt.conf": a.config(), "sources/skleak.sources": sourcesFile(suites)}
	for name, text := range files {
		if err := renameio.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return suites, nil
}

// update fetches the package lists. It gives the suites that are there, and a
// note for each that is not.
func (a apt) update(ctx context.Context, suites []suite) (served, notes []string, err error) {
	said, failure := command{argv: a.command("apt-get", "update", "--quiet=2")}.run(ctx)
	var exit *CommandError
	// A suite that is missing makes apt-get fail; the others are there all the
	// same.
	if failure != nil && !errors.As(failure, &exit) {
		return nil, nil, failure
	}
	present, err := a.lists(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range suites {
		if slices.Contains(present, s.Name) {
			served = append(served, s.Name)
			continue
		}
		notes = append(notes, fmt.Sprintf("suite %s is left out: %s", s.Name, reason(said, s.Name)))
	}
	if len(served) == 0 {
		return nil, nil, fmt.Errorf("apt got none of Debian's suites: %w", cmpErr(failure, errors.New(said)))
	}
	if failure == nil || len(notes) > 0 {
		return served, notes, nil
	}
	// All suites have lists, but apt-get failed: some are of an earlier day.
	return served, append(notes, "some lists are older: "+firstLine(said)), nil
}

func cmpErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// lists names the suites whose package list is on disk, with a signature that
// apt has checked.
func (a apt) lists(ctx context.Context) ([]string, error) {
	var out bytes.Buffer
	_, err := command{
		argv: a.command("apt-get", "indextargets", "--format", "$(TRUSTED)|$(RELEASE)|$(FILENAME)", "Created-By: Packages"),
		out:  &out,
	}.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask apt which lists it has: %w", err)
	}
	var present []string
	for line := range strings.Lines(out.String()) {
		fields := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if len(fields) < 3 || fields[0] != "yes" {
			continue
		}
		if _, err := os.Stat(fields[2]); err == nil {
			present = append(present, fields[1])
		}
	}
	return present, nil
}

// reason finds what apt said of a suite.
func reason(said, suite string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		for _, around := range []string{" " + suite + " ", "/" + suite + "/"} {
			if strings.Contains(line, around) {
				return line
			}
		}
	}
	return "the mirror has no list of it"
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// show asks apt for everything it knows of kernel packages.
func (a apt) show(ctx context.Context) ([]stanza, error) {
	var out bytes.Buffer
	argv := a.command("apt-cache", "show", "--all-versions",
		"linux-image-*", "linux-binary-*", "linux-modules-*", "linux-base-*")
	if _, err := (command{argv: argv, out: &out}).run(ctx); err != nil {
		return nil, fmt.Errorf("ask apt for kernel packages: %w", err)
	}
	var all []stanza
	err := readStanzas(&out, func(s stanza) { all = append(all, s) })
	return all, err
}

// download puts packages into dir and gives their files. apt checks each
// against the signed lists.
func (a apt) download(ctx context.Context, dir string, packages []Package) ([]string, error) {
	argv := a.command("apt-get", "download", "--quiet=2")
	for _, p := range packages {
		argv = append(argv, p.Name+"="+p.Version)
	}
	if _, err := (command{argv: argv, dir: dir}).run(ctx); err != nil {
		return nil, fmt.Errorf("download with apt: %w", err)
	}
	var files []string
	for _, p := range packages {
		found, err := filepath.Glob(filepath.Join(dir, p.Name+"_*.deb"))
		if err != nil {
			return nil, err
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("download with apt: %d files for package %s", len(found), p.Name)
		}
		files = append(files, found[0])
	}
	return files, nil
}
