#!/bin/sh
# Answers as nvidia-smi does, from a box that cards.ts wrote: lines "unknown<TAB>field",
# "slowdown<TAB>99 C", "trouble<TAB>name" and "card<TAB>place<TAB>field<TAB>words".
# Called as: nvidia-smi.sh <box> <arguments of nvidia-smi>
box=$1
shift
trouble=$(sed -n 's/^trouble	//p' "$box")
case $trouble in
hangs) exec sleep 1000 ;;
driver)
  echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running."
  exit 9
  ;;
noCards)
  echo 'No devices were found'
  exit 6
  ;;
mismatch)
  printf 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.163\n'
  exit 18
  ;;
esac

query='' report=''
for argument in "$@"; do
  case $argument in
  --query-gpu=*) query=${argument#--query-gpu=} ;;
  TEMPERATURE) report=1 ;;
  esac
done

exec awk -F'\t' -v query="$query" -v report="$report" '
  $1 == "unknown" { unknown[$2] = 1 }
  $1 == "slowdown" { slowdown[++slowdowns] = $2 }
  $1 == "header" { header = $2 }
  $1 == "card" { cards = $2 > cards ? $2 : cards; words[$2, $3] = $4; known[$3] = 1 }
  END {
    if (report) {
      print "\n==============NVSMI LOG==============\n\nAttached GPUs                             : " cards
      for (i = 1; i <= cards; i++) {
        printf "GPU 00000000:0%d:00.0\n    Temperature\n", i
        printf "        GPU Current Temp                  : %s C\n", words[i, "temperature.gpu"]
        print  "        GPU T.Limit Temp                  : N/A"
        print  "        GPU Shutdown Temp                 : 102 C"
        printf "        GPU Slowdown Temp                 : %s\n", (i in slowdown) ? slowdown[i] : "N/A"
        print  "        GPU Max Operating Temp            : N/A"
        print  "        GPU Target Temperature            : 83 C"
        print  "        Memory Current Temp               : N/A\n"
      }
      exit 0
    }
    if (!query) { print header; exit 0 }
    n = split(query, fields, ",")
    for (j = 1; j <= n; j++) {
      name = fields[j]
      if ((name in unknown) || !((name in known) || name ~ /^clocks_(event|throttle)_reasons\./ || name == "compute_cap")) {
        printf "Field \"%s\" is not a valid field to query.\n\n", name
        exit 2
      }
    }
    for (i = 1; i <= cards; i++) {
      if (words[i, "lost"]) {
        printf "Unable to determine the device handle for GPU0000:0%d:00.0: GPU is lost.  Reboot the system to recover this GPU\n", i
        status = 15
        continue
      }
      line = ""
      for (j = 1; j <= n; j++) line = line (j > 1 ? ", " : "") (((i, fields[j]) in words) ? words[i, fields[j]] : "[N/A]")
      print line
    }
    exit status
  }' "$box"
