# SPDX-License-Identifier: GPL-2.0-only

# Everything here sets itself up. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Go is found where its own installer puts it, too.
export PATH := $(PATH):/usr/local/go/bin
GO ?= go

PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=

GOLANGCI_VERSION := v2.15.0
ACTIONLINT_VERSION := v1.7.12
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/skleak
GOLANGCI := $(CACHE)/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint

# Bounds, so that nothing here can hang.
TEST_TIMEOUT ?= 10m
FUZZ_TIME ?= 50000x

.PHONY: help
help: ## this list
	@echo "make TARGET; ARGS='...' is handed on by run and soak, for example make run ARGS='--json tun'"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

.PHONY: build
build: go-check ## the static binary: bin/skleak
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags='-s -w' -o bin/skleak ./cmd/skleak

.PHONY: run
run: packages build ## set up, build and run the catalogue on this kernel
	bin/skleak run $(ARGS)

.PHONY: test
test: go-check packages vm-packages test-packages compiler ## all tests, with the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout $(TEST_TIMEOUT) ./...

.PHONY: lint
lint: go-check $(GOLANGCI) ## golangci-lint; the first time it is built, which takes minutes
	$(GOLANGCI) run ./...

.PHONY: actionlint
actionlint: go-check ## checks the workflows of .github
	$(GO) run github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)

.PHONY: vagrant-check
vagrant-check: ## checks Vagrantfile and its provisioner, starting nothing
	scripts/vagrant-check

.PHONY: fuzz
fuzz: go-check ## each fuzz target for FUZZ_TIME (inputs, as 50000x, or a time)
	scripts/fuzz $(FUZZ_TIME)

.PHONY: bpf-check
bpf-check: go-check ## are the committed BPF objects what their C gives? ARGS=--write makes them so
	scripts/bpf-check $(ARGS)

.PHONY: soak
soak: packages build ## a thousand runs of each scenario that this kernel can run
	bin/skleak soak $(ARGS)

BOOTS ?= 12

.PHONY: boots
boots: vm-packages build ## BOOTS guests in a row over six kernels: has one trouble?
	scripts/boots $(BOOTS) $(ARGS)

.PHONY: killtest
killtest: packages build ## runs killed at random moments: is anything left? ARGS=MOMENTS
	scripts/killtest $(ARGS)

.PHONY: chaos
chaos: packages build ## the catalogue on a machine made difficult: is anything wrong? ARGS='ROUNDS SCENARIO...'
	scripts/chaos $(ARGS)

# A handful for every change: the bug of 2012, a leak, one that no socket shows,
# one that only a waiter notices. All of them: make truth.
MUTANTS ?= tun-no-orphan veth-multicast-no-free tun-drop-no-free tbf-silent-free
MUTANTS_KERNEL ?= debian:6.1

.PHONY: mutants
mutants: mutants-packages build ## a handful of known bugs, each put into a kernel and found
	bin/skleak mutants run $(MUTANTS) --kernel $(MUTANTS_KERNEL) $(ARGS)

.PHONY: story
story: vm-packages mutants-packages build ## 2012 again, with the real ospfd and iodined: docs/story.md; ARGS=--all
	bin/skleak story $(ARGS)

TRUTH_KERNELS ?= debian:6.1 debian:6.12
TRUTH_RUNS ?= 3

.PHONY: truth
truth: mutants-packages build ## all known bugs on two kernels, thrice: docs/results/truth.md
	scripts/truth $(TRUTH_RUNS) $(TRUTH_KERNELS)

KERNELS ?= debian:5.10,debian:6.1,debian:6.12,debian:6.18,debian:7.2,debian:7.3

.PHONY: kernels
kernels: vm-packages build ## the whole catalogue on six kernels: docs/results/kernels.md
	scripts/kernels-doc $(KERNELS)

.PHONY: bench
bench: go-check compiler ## the sender and a guest's start beside their peers, and what a ledger costs
	$(GO) run ./bench $(ARGS)

.PHONY: readme
readme: packages build ## put the output of a real run into README.md
	scripts/readme

.PHONY: man
man: build ## manual pages: bin/man
	mkdir -p bin/man
	bin/skleak man bin/man

.PHONY: completion
completion: build ## shell completion: bin/completion
	mkdir -p bin/completion
	bin/skleak completion bash > bin/completion/skleak
	bin/skleak completion zsh > bin/completion/_skleak
	bin/skleak completion fish > bin/completion/skleak.fish

.PHONY: install
install: man completion ## into PREFIX (/usr/local), below DESTDIR
	install -D -m 755 bin/skleak '$(DESTDIR)$(PREFIX)/bin/skleak'
	install -d '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 bin/man/*.1 '$(DESTDIR)$(PREFIX)/share/man/man1/'
	install -D -m 644 bin/completion/skleak '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/skleak'
	install -D -m 644 bin/completion/_skleak '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_skleak'
	install -D -m 644 bin/completion/skleak.fish '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/skleak.fish'

# A tag, or what sorts before the first one.
VERSION ?= $(shell git describe --tags --exact-match 2>/dev/null | sed 's/^v//' | grep . || git log -1 --format=0~git%cd.%h --date=format:%Y%m%d --abbrev=8)
ARCH ?= $(shell dpkg --print-architecture 2>/dev/null || $(GO) env GOARCH)

.PHONY: dist
dist: build ## a static tarball and a Debian package: dist
	scripts/dist '$(VERSION)' '$(ARCH)'

.PHONY: formats
formats: test-packages formats-packages dist ## every format is read back by what is not ours
	scripts/formats 'dist/skleak_$(VERSION)_$(ARCH).deb'

.PHONY: uninstall
uninstall: ## what install put there
	rm -f '$(DESTDIR)$(PREFIX)/bin/skleak' \
	  '$(DESTDIR)$(PREFIX)'/share/man/man1/skleak{,-*}.1 \
	  '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/skleak' \
	  '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_skleak' \
	  '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/skleak.fish'

.PHONY: clean
clean: ## what was built here
	rm -rf bin dist

# What the targets above need.

.PHONY: go-check
go-check:
	@command -v $(GO) >/dev/null || { echo "Go is not installed: see https://go.dev/doc/install (go.mod says which version)" >&2; exit 1; }

.PHONY: compiler
compiler: # for the race detector and the peers of bench
	@scripts/packages --needed gcc:gcc gcc:libc6-dev

# iodined makes the link of 2012; iptables is how NFQUEUE is reached where
# nf_tables has no queue expression.
.PHONY: packages
packages:
	@scripts/packages iodined:iodine iptables:iptables

# What boots other kernels, and the shell in them.
.PHONY: vm-packages
vm-packages:
	@scripts/packages qemu-system-x86_64:qemu-system-x86 busybox:busybox-static

.PHONY: test-packages
test-packages: # a second opinion on what the packets, scripts and reports are
	@scripts/packages tshark:tshark capinfos:wireshark-common shellcheck:shellcheck ip:iproute2 tc:iproute2 zstd:zstd xmllint:libxml2-utils tidy:tidy

# What is too large for every test: make formats.
.PHONY: formats-packages
formats-packages: compiler
	@scripts/packages --needed chromium:chromium clang:clang lintian:lintian python3:python3 xz:xz-utils curl:curl

.PHONY: mutants-packages
mutants-packages: go-check
	@scripts/packages --needed spatch:coccinelle gcc:gcc make:make xz:xz-utils qemu-system-x86_64:qemu-system-x86

$(GOLANGCI):
	GOBIN='$(@D)' $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
