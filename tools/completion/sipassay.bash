# Bash completion of sipassay. Options come from the program's own --help, so they cannot go stale.
_sipassay() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
  local command=${COMP_WORDS[1]} words
  if [[ $COMP_CWORD -eq 1 ]]; then
    words=$("$program" --help 2>/dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p')
    mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$word")
    return
  fi
  case $before in
    --role) words="uas uac proxy registrar redirect" ;;
    --level) words="must must-not should should-not may stated" ;;
    --transport) words="udp tcp tls ws wss" ;;
    --report) words="text json junit html" ;;
    --list-format) words="tsv json" ;;
    --format) words="markdown dot" ;;
    --refresher) words="uac uas" ;;
    --digest-algorithm) words="SHA-256 SHA-256-sess MD5 MD5-sess" ;;
    --then) words=$("$program" ua --help 2>/dev/null | sed -n '/^Steps of --then/,/^$/p' | sed -nE 's/^  ([a-z-]+).*/\1/p') ;;
    --scenarios | --failed-from | --expect | --profile | --sut-log | --write) mapfile -t COMPREPLY < <(compgen -f -- "$word") ; return ;;
    *)
      if [[ $word == -* ]]; then
        words=$("$program" "$command" --help 2>/dev/null | grep -oE -- '--[a-z0-9-]+' | sort -u)
      elif [[ $command == run || $command == list || $command == show ]]; then
        words=$("$program" list 2>/dev/null | cut -f1 | tail -n +2)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
      fi
      ;;
  esac
  COMPREPLY+=($(compgen -W "$words" -- "$word"))
}
complete -o filenames -F _sipassay sipassay
