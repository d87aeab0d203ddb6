# SPDX-License-Identifier: Apache-2.0
# tapir: one Makefile, not recursive.  An archive a folder, linked in rank
# order.  `make help` lists the targets.
#
#   B=dir      build directory (default build)
#   CC=clang   another compiler
#   SAN=asan | tsan    sanitizer build (make asan / make tsan set it)
#   SEEDS=n            make sim: so many seeds for each scenario
#   NET=...            make net: arguments of test/net/run.py
#   WEB=0 | 1          the browser's screens: never, or fail without npm (default:
#                      where npm is at hand)

B       ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
PYTHON  ?= /usr/bin/python3

# No rule but ours: webui/site is a script beside webui/site.c, and whichever of the
# two was checked out last is not made of the other.
MAKEFLAGS += --no-builtin-rules

# Short lines; V=1 shows the commands.
V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-3s %s\n' $(1) $(2)
endif

PKGS    := zlib sqlite3 libssl libcrypto libxml-2.0 libcap libnl-3.0 libnl-route-3.0 libseccomp libevent_openssl
DEPS_OK := $(shell pkg-config --exists $(PKGS) cmocka 2>/dev/null && echo yes)
XML_CF  := $(shell pkg-config --cflags libxml-2.0 2>/dev/null)
NL_CF   := $(shell pkg-config --cflags libnl-route-3.0 2>/dev/null)

# libipsec-mb: x86-64 only.  Its provider is built where the provider's header
# compiles; IPSECMB=no leaves it out.
IPSECMB ?= $(shell $(CC) -I. -D_GNU_SOURCE -fsyntax-only -x c spi/esp-ipsecmb/mb.h 2>/dev/null && echo yes)

WARN    := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wmissing-prototypes \
           -Wstrict-prototypes -Wpointer-arith -Wundef -Werror
OPT     ?= -O2
IS_CLANG := $(findstring clang,$(CC))
# clang 14 wants to hear twice that zero is meant; later ones do not.
AUTO_INIT := -ftrivial-auto-var-init=zero
ifneq ($(IS_CLANG),)
AUTO_INIT += $(shell echo 'int x;' | $(CC) $(AUTO_INIT) -Werror -x c -c -o /dev/null - 2>/dev/null || echo -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
endif
SAN     ?=
VERSION := 0.1.0

CFLAGS_ALL := -std=gnu11 $(OPT) -g -D_GNU_SOURCE -I. -I$(B) $(WARN) -pthread \
              -fno-strict-aliasing -fno-common -fstack-protector-strong \
              $(AUTO_INIT) -DTAPIR_VERSION='"$(VERSION)"' \
              -DTAPIR_LIBEXEC='"$(PREFIX)/libexec/tapir"' \
              -DTAPIR_PLUGINS='"$(PREFIX)/lib/tapir/plugins"'
LDFLAGS_ALL := -pthread -Wl,-z,relro,-z,now -Wl,-z,noexecstack
ifeq ($(SAN),)
CFLAGS_ALL  += -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
               -fstack-clash-protection -fcf-protection=full
LDFLAGS_ALL += -pie
endif
ifeq ($(SAN),asan)
CFLAGS_ALL  += -fsanitize=address,undefined -fno-sanitize-recover=all \
               -fno-omit-frame-pointer -DTAPIR_DEBUG=1
LDFLAGS_ALL += -fsanitize=address,undefined
endif
ifeq ($(SAN),tsan)
CFLAGS_ALL  += -fsanitize=thread -DTAPIR_DEBUG=1
LDFLAGS_ALL += -fsanitize=thread
endif
ifeq ($(IPSECMB),yes)
CFLAGS_ALL  += -DTAPIR_HAVE_IPSECMB=1
# only for the programs that pass packets through it
MB_LIBS     := -Wl,--as-needed -lIPSec_MB -Wl,--no-as-needed
MB_DIRS     := spi/esp-ipsecmb
endif
CFLAGS_ALL += $(CFLAGS)
LDFLAGS_ALL += $(LDFLAGS)

# ---- archives, by rank ------------------------------------------------------
# lib<name>_DIRS: the folders an archive holds.
base_DIRS   := daemon/base
bus_DIRS    := daemon/bus
ipc_DIRS    := daemon/ipc
conf_DIRS   := conf
spi_DIRS    := spi spi/esp-openssl spi/crypto-openssl spi/cert-openssl \
               spi/log-journal spi/log-syslog spi/log-file \
               spi/eap-mschapv2 spi/eap-tls spi/eap-radius $(MB_DIRS)
ikev2_DIRS  := ikev2 ikev2/wire ikev2/neg ikev2/crypt ikev2/step
esp_DIRS    := esp
vhub_DIRS   := vhub
why_DIRS    := why
diary_DIRS  := daemon/diary
core_DIRS   := daemon/core
secure_DIRS := secure-proc secure-proc/id secure-proc/keys secure-proc/net secure-proc/files secure-proc/verify secure-proc/login \
               secure-proc/names secure-proc/eap secure-proc/radius
web_DIRS    := webui
cli_DIRS    := cli cli/ca cli/lab cli/invite cli/bug cli/desk
LIBS := base bus ipc conf spi why ikev2 esp vhub diary core secure web cli

MAINS := daemon/main.c secure-proc/main.c webui/main.c cli/main.c cli/desk/main.c
define lib_rule
$(1)_SRC := $$(filter-out $$(MAINS),$$(foreach d,$$($(1)_DIRS),$$(wildcard $$(d)/*.c)))
$(1)_OBJ := $$($(1)_SRC:%.c=$$(B)/%.o)
$$(B)/lib$(1).a: $$($(1)_OBJ)
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call lib_rule,$(l))))

# What each archive needs below it, in link order, and from the system.
base_NEED   :=
bus_NEED    := base
ipc_NEED    := base
conf_NEED   := base
spi_NEED    := base
ikev2_NEED  := spi bus base
esp_NEED    := spi bus base
vhub_NEED   := bus base
why_NEED    := base
diary_NEED  := spi ipc bus base
core_NEED   := diary ikev2 esp vhub why spi conf ipc bus base
secure_NEED := ipc conf spi base
web_NEED    := ipc bus base
cli_NEED    := ipc why conf bus base
WEB_LIBS    := -levent_openssl -levent_core
SYS_LIBS    := -Wl,--as-needed -lssl -Wl,--no-as-needed -lcrypto -lxml2 -lcap -lnl-route-3 -lnl-3 -lseccomp $(MB_LIBS)

libs_of = $(foreach l,$(1) $($(1)_NEED),$(B)/lib$(l).a)

PROGS := $(B)/tapird $(B)/tapir-secure $(B)/tapir-web $(B)/tapir-desk $(B)/tapir

.PHONY: all check demo bench soak asan tsan fuzz lint layers graph install clean \
        deps unit sim net help progs plugins dist deb-check man man-lacks
.DEFAULT_GOAL := all

ifeq ($(DEPS_OK),yes)
all: progs man
else
all:
	@packaging/deps build web
	@$(MAKE) --no-print-directory progs man
endif
progs: $(PROGS)

$(B)/tapird: $(B)/daemon/main.o $(call libs_of,core)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SYS_LIBS) -lsqlite3
$(B)/tapir-secure: $(B)/secure-proc/main.o $(call libs_of,secure)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SYS_LIBS)
$(B)/tapir-web: $(B)/webui/main.o $(B)/webui/assets.o $(call libs_of,web)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(WEB_LIBS) $(SYS_LIBS)
$(B)/tapir: $(B)/cli/main.o $(call libs_of,cli)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SYS_LIBS) -lz

$(B)/tapir-desk: $(B)/cli/desk/main.o $(foreach l,cli why conf bus ipc base,$(B)/lib$(l).a)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SYS_LIBS) -lz

# ---- manual pages: prose beside the code, lists of the tables ----------------
# PAGE.SECTION is English, PAGE.ja.SECTION Japanese; *.ja are words of tables.
MAN_SRC   := cli/tapir.1 conf/tapir.xml.5 daemon/bus/tapir-bus.7 spi/tapir-spi.7 cli/lab/tapir-lab.7 \
             cli/tapir-codes.7 daemon/tapird.8 secure-proc/tapir-secure.8 webui/tapir-web.8
MAN_WORDS := $(wildcard cli/*.ja cli/lab/*.ja conf/*.ja daemon/base/*.ja daemon/bus/*.ja spi/*.ja)
MAN_EN    := $(foreach p,$(MAN_SRC),$(B)/man/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))
MAN_JA    := $(MAN_EN:$(B)/man/%=$(B)/man/ja/%)
MAN_TOOL  := $(B)/packaging/man/man
$(MAN_TOOL): $(patsubst %.c,$(B)/%.o,$(wildcard packaging/man/*.c)) $(B)/libspi.a $(call libs_of,cli)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SYS_LIBS) -lz
define man_rule
$(B)/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1)): $(1) $(MAN_TOOL)
	@mkdir -p $$(@D)
	$(Q)$(MAN_TOOL) $(1) >$$@.new && mv $$@.new $$@
$(B)/man/ja/man$(subst .,,$(suffix $(1)))/$(notdir $(1)): $(basename $(1)).ja$(suffix $(1)) $(MAN_TOOL) $(MAN_WORDS)
	@mkdir -p $$(@D)
	$(Q)$(MAN_TOOL) --ja $(MAN_WORDS) -- $(basename $(1)).ja$(suffix $(1)) >$$@.new && mv $$@.new $$@
endef
$(foreach p,$(MAN_SRC),$(eval $(call man_rule,$(p))))
man: $(MAN_EN) $(MAN_JA)
# rows of the tables without Japanese words, as blocks to fill in
man-lacks: $(MAN_TOOL)
	@$(MAN_TOOL) --lacks $(MAN_WORDS)

$(B)/conf/%.o $(B)/test/unit/conf/%.o $(B)/test/unit/cli/%.o $(B)/test/fuzz/%.o $(B)/webui/%.o: XCF := $(XML_CF)
# What browsers load, inside the program.  npm's work is kept beside the builds,
# so that each of them (B=) finds it done.
WEB     ?= auto
NPM_DIR := $(abspath build)/npm
SITE_SRC := webui/site webui/thin webui/package.json webui/package-lock.json daemon/bus/bus.ja daemon/base/drop.ja \
            $(shell find webui/www webui/plain -type f)
.PHONY: FORCE
# again where another WEB= was built before
$(B)/webui/made: $(SITE_SRC) $(if $(filter $(WEB),$(shell cat $(B)/webui/made 2>/dev/null)),,FORCE)
	$(call say,WEB,$(B)/webui/site)
	$(Q)mkdir -p $(@D) && \
	  webui/site $(WEB) $(abspath $(B))/webui/site $(NPM_DIR) && echo $(WEB) >$@
$(B)/webui/assets.c: webui/embed $(B)/webui/made
	$(call say,WWW,$@)
	$(Q)webui/embed $@ $(abspath $(B))/webui/gz $(abspath $(B))/webui/site
$(B)/webui/assets.o: $(B)/webui/assets.c
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<
$(B)/secure-proc/%.o $(B)/test/unit/secure-proc/%.o: XCF := $(NL_CF)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(XCF) -MMD -MP -c -o $@ $<

# ---- plug-ins: shared objects that call nothing of the programs --------------
PLUGINS := $(B)/plugins/esp-example.so
PLUG_CFLAGS = $(filter-out -fPIE,$(CFLAGS_ALL)) -fPIC -fvisibility=default
PLUG_LDFLAGS = $(filter-out -pie,$(LDFLAGS_ALL)) -shared
plugins: $(PLUGINS)
$(B)/plugins/esp-%.so: spi/example/esp_%.c
	@mkdir -p $(@D)
	$(call say,SO,$@)
	$(Q)$(CC) $(PLUG_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(PLUG_LDFLAGS) -lcrypto

# wrong in one way each; t_plugin loads them
BAD_WAYS := MAGIC VERSION KIND SIZE TABLE NAME HOLE SYMBOL LINK UNSUP SEAL HEAD
BAD_PLUGINS := $(BAD_WAYS:%=$(B)/test/unit/spi/bad/%.so)
$(B)/test/unit/spi/bad/%.so: test/unit/spi/plugin_bad.c
	@mkdir -p $(@D)
	$(call say,SO,$@)
	$(Q)$(CC) $(PLUG_CFLAGS) -DWRONG=$* -MMD -MP -MF $@.d -o $@ $< $(PLUG_LDFLAGS)
$(B)/test/unit/spi/t_plugin: | $(PLUGINS) $(BAD_PLUGINS)
$(B)/test/unit/spi/t_plugin.o: XCF := -DTEST_B='"$(abspath $(B))"'

# ---- unit tests: test/unit/<folder>/t_<file>.c, one program each -------------
# A test links its subject's archive and what lies below, nothing above.
UNIT_SRC := $(wildcard test/unit/*/t_*.c test/unit/*/*/t_*.c)
UNIT_BIN := $(UNIT_SRC:%.c=$(B)/%)
TESTLIB  := $(B)/test/lib/test.o

define unit_rule
$(B)/test/unit/$(1)/%: $(B)/test/unit/$(1)/%.o $$(TESTLIB) $$(call libs_of,$(2))
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(SYS_LIBS) $$(LATE) -lcmocka
endef
$(eval $(call unit_rule,base,base))
$(eval $(call unit_rule,bus,bus))
$(eval $(call unit_rule,ipc,ipc))
$(eval $(call unit_rule,conf,conf))
$(eval $(call unit_rule,spi,spi))
$(eval $(call unit_rule,ikev2,ikev2))
$(eval $(call unit_rule,esp,esp))
$(eval $(call unit_rule,vhub,vhub))
$(eval $(call unit_rule,why,why))
$(eval $(call unit_rule,diary,diary))
$(eval $(call unit_rule,core,core))
$(eval $(call unit_rule,secure-proc,secure))
$(eval $(call unit_rule,webui,web))
$(B)/test/unit/webui/%: SYS_LIBS += $(WEB_LIBS)
$(eval $(call unit_rule,cli,cli))

$(B)/test/unit/diary/%: LATE := -lsqlite3
$(B)/test/unit/cli/%: LATE := -lz

# t_alloc counts what the packet path allocates
$(B)/test/unit/core/t_alloc: LDFLAGS_ALL += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc

# ---- simulator: two engines, a lossy net, a virtual clock --------------------
SIM_SRC := $(wildcard test/sim/*.c)
$(B)/test/sim/sim: LDFLAGS_ALL += -rdynamic -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=ike_child_answer_payloads
$(B)/test/sim/sim: $(SIM_SRC:%.c=$(B)/%.o) $(call libs_of,ikev2)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SYS_LIBS)

# ---- the programs with a clock that a test sets -------------------------------
CLOCK_BIN := $(B)/test/clock/tapird $(B)/test/clock/tapir-secure
$(B)/test/clock/tapird: $(B)/daemon/main.o $(B)/test/clock/shift.o $(call libs_of,core)
$(B)/test/clock/tapir-secure: $(B)/secure-proc/main.o $(B)/test/clock/shift.o $(call libs_of,secure)
$(CLOCK_BIN):
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,--wrap=clock_gettime -o $@ $^ $(SYS_LIBS) -lsqlite3

# ---- the packet path alone, without a network --------------------------------
$(B)/test/bench/esp_bench: $(B)/test/bench/esp_bench.o $(call libs_of,esp)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SYS_LIBS)

# ---- frames at an even rate, many streams, many peers: for test/bench/bench.py -
BENCH_BIN := $(B)/test/bench/pps $(B)/test/bench/streams $(B)/test/bench/flood $(B)/test/bench/dial \
             $(B)/test/bench/hub_bench
$(B)/test/bench/dial: $(B)/test/bench/dial_eap.o $(call libs_of,ikev2)
$(B)/test/bench/hub_bench: $(call libs_of,vhub)
$(BENCH_BIN): %: %.o
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(if $(filter %.a,$^),$(SYS_LIBS))

# ---- fuzz: libFuzzer under clang, one target a decoder -----------------------
FUZZ_SRC := $(wildcard test/fuzz/fz_*.c)
FUZZ_BIN := $(FUZZ_SRC:test/fuzz/%.c=$(B)/test/fuzz/%)
FUZZ_RUNS ?= 20000
FUZZ_LIBS := $(foreach l,cli core diary secure web ikev2 esp vhub why spi conf ipc bus base,$(B)/lib$(l).a)
$(B)/test/fuzz/fz_%: $(B)/test/fuzz/fz_%.o $(FUZZ_LIBS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(FUZZ_LIBS) -Wl,--end-group $(WEB_LIBS) $(SYS_LIBS) -lz

fuzz:
	@$(MAKE) --no-print-directory B=$(B)-fuzz CC=clang SAN=asan \
	  CFLAGS="$(CFLAGS) -fsanitize=fuzzer-no-link" fuzz-run
.PHONY: fuzz-run
fuzz-run: $(FUZZ_BIN)
	@test/fuzz/run $(B)/test/fuzz $(FUZZ_RUNS)

# ---- the words of the README --------------------------------------------------
unit: $(UNIT_BIN)
	@test/run-unit $(UNIT_BIN)
SEEDS ?=
sim: $(B)/test/sim/sim
	@$(if $(SEEDS),test/run-sim $< $(SEEDS) $(PLAYS),test/run-unit $<)
check:
	@packaging/deps build web test
	@$(MAKE) --no-print-directory check-all
.PHONY: check-all check-progs
NET_BIN := $(B)/test/bench/flood $(B)/test/bench/dial $(CLOCK_BIN)
check-progs: $(PROGS) man $(PLUGINS) $(UNIT_BIN) $(B)/test/sim/sim $(NET_BIN)
check-all: check-progs
	@B=$(B) MAKE="$(MAKE)" test/run-check
net: progs $(NET_BIN)
	@B=$(abspath $(B)) $(PYTHON) test/net/run.py $(NET)
soak:
	@packaging/deps build test
	@$(MAKE) --no-print-directory B=$(B)-asan SAN=asan progs
	@packaging/as-root env B=$(abspath $(B))-asan $(PYTHON) test/net/soak.py $(SOAK)
demo:
	@packaging/deps build demo
	@$(MAKE) --no-print-directory progs
	@packaging/as-root $(B)/tapir demo $(DEMO)
bench:
	@packaging/deps build test bench $(if $(filter --all --record,$(BENCH)),bench-peers)
	@$(MAKE) --no-print-directory progs $(BENCH_BIN)
	@packaging/as-root env B=$(abspath $(B)) $(PYTHON) test/bench/bench.py $(BENCH)
asan tsan:
	@packaging/deps build test
	@$(MAKE) --no-print-directory B=$(B)-$@ SAN=$@ san-run
.PHONY: san-run
san-run: $(UNIT_BIN) $(B)/test/sim/sim
	@test/run-unit $(UNIT_BIN) $(B)/test/sim/sim
layers:
	@$(PYTHON) test/lint/layers.py
lint: layers
	@$(PYTHON) test/lint/lint.py
	@webui/types/check $(NPM_DIR)-dev
GRAPHS := states paths
graph: $(GRAPHS:%=$(B)/ike-%.dot)
$(B)/ike-%.dot: $(B)/test/sim/sim
	@$< --graph $* > $@.new && mv $@.new $@ && echo wrote $@
	@! command -v dot >/dev/null || { dot -Tsvg -o $(@:.dot=.svg) $@ && echo wrote $(@:.dot=.svg); }
deps:
	@packaging/deps build web test demo bench
# the sources of what is committed, with what the browser's screens need of others
dist:
	$(call say,TAR,$(B)/tapir-$(VERSION).tar.xz)
	$(Q)rm -rf $(B)/dist && packaging/dist $(B)/dist/tapir-$(VERSION) $(NPM_DIR) && \
	  tar -C $(B)/dist --owner=0 --group=0 --sort=name --mtime="$$(git log -1 --format=%ci)" \
	    -cJf $(B)/tapir-$(VERSION).tar.xz tapir-$(VERSION) && rm -rf $(B)/dist
deb-check:
	@packaging/deps package
	@packaging/as-root packaging/check-deb $(DEB)
install: progs man
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) B=$(B) packaging/install
clean:
	rm -rf $(B) $(B)-asan $(B)-tsan $(B)-fuzz $(B)-clang
help:
	@grep -E '^[a-z-]+:' Makefile | cut -d: -f1 | sort -u | tr '\n' ' '; echo

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.SECONDARY:
