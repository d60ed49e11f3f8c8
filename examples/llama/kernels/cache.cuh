// The cache of keys and values: pages of 16 positions, shared by all sequences, one cache per layer.
//
// Layout   keys, values: pages x key_heads x 16 x dim. A head's 16 positions lie together.
//          tables: rows x pages_per_row. Entry i of a sequence's row is the page of positions 16 i .. 16 i + 15, or -1
//          where it has none.
#pragma once

enum : unsigned { PAGE = 16 };

// What a kernel writes into the error word: the host reads it after the step.
enum : unsigned { ID_OUT_OF_RANGE = 1, POSITION_WITHOUT_PAGE = 2 };

// Where the elements of a position begin, or -1 if the sequence has no page for it.
__device__ inline long long cache_offset(const int* table, unsigned pages_per_row, unsigned position,
                                         unsigned key_heads, unsigned head, unsigned dim) {
    if (position / PAGE >= pages_per_row) return -1;
    const int page = table[position / PAGE];
    if (page < 0) return -1;
    return ((static_cast<long long>(page) * key_heads + head) * PAGE + position % PAGE) * dim;
}
