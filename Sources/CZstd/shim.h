// Zstandard for Swift.
#pragma once
#include <zstd.h>
