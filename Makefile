# A short front to Meson for those who type make.
BUILD = build

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	CC='ccache gcc' meson setup $(BUILD)

test: all
	meson test -C $(BUILD) --no-rebuild

check:
	./test

fuzz:
	tools/fuzz.sh 60

bench: all
	bench/run

docs:
	python3 tools/docs.py --write

format:
	python3 tools/csource.py | xargs clang-format-14 -i

install: all
	meson install -C $(BUILD)

.PHONY: all test check fuzz bench docs format install
