from messagehub.cli import main

main()
