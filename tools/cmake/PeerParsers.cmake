# The SIP parsers that message_bench compares with, each optional: found through pkg-config.

find_package(PkgConfig)
find_package(nlohmann_json REQUIRED)
target_link_libraries(message_bench PRIVATE nlohmann_json::nlohmann_json)

# sipassay_peer_parser(MACRO pkg-config-module)
function(sipassay_peer_parser MACRO MODULE)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${MACRO} QUIET IMPORTED_TARGET ${MODULE})
  endif()
  if(${MACRO}_FOUND)
    target_link_libraries(message_bench PRIVATE PkgConfig::${MACRO})
    target_include_directories(message_bench SYSTEM PRIVATE ${${MACRO}_INCLUDE_DIRS})
    target_compile_definitions(message_bench PRIVATE SIPASSAY_HAS_${MACRO}=1)
  else()
    message(STATUS "message_bench: no ${MODULE}, it is left out of the comparison")
  endif()
endfunction()

sipassay_peer_parser(OSIP libosip2)
sipassay_peer_parser(SOFIA sofia-sip-ua)
sipassay_peer_parser(RE libre)
