# A project that finds the installed library.
cmake_minimum_required(VERSION 3.16)
project(installed C)
find_package(Shardkeep 0.1 REQUIRED)
add_executable(misuse "${SOURCES}/misuse.c")
target_link_libraries(misuse PRIVATE Shardkeep::shardkeep)
add_executable(misuse_static "${SOURCES}/misuse.c")
target_link_libraries(misuse_static PRIVATE Shardkeep::static)
