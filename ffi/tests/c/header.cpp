// The header in C++: it compiles, and its functions link.

#include "shardkeep.h"

int main() {
    return shardkeep_abi() == SHARDKEEP_ABI ? 0 : 1;
}
