"""Annex A of 3GPP TS 23.038 as it is printed, for the languages of India and Pakistan: an independent copy.

Of the locking tables the columns 0, 1, 2, 4 and 5, one line for each row; in the line above those cells of the columns
3, 6 and 7 that are not the same in all of them. Of the single tables the cells that differ, in the order of their
codes. Code points in hexadecimal, `-` for no character. What is misprinted (see national.py) is corrected, and 0x11 of
Tamil and Telugu is empty.
"""

LOCKING = {
    "bengali": """
        3C=- 3D=09AA 3E=09AB 60=09CE 7B=09D7 7C=09DC 7D=09DD 7E=09F0 7F=09F1
        0981 0990 SP   09AC 09BE
        0982 -    !    09AD 09BF
        0983 -    099F 09AE 09C0
        0985 0993 09A0 09AF 09C1
        0986 0994 09A1 09B0 09C2
        0987 0995 09A2 -    09C3
        0988 0996 09A3 09B2 09C4
        0989 0997 09A4 -    -
        098A 0998 )    -    -
        098B 0999 (    -    09C7
        LF   099A 09A5 09B6 09C8
        098C ESC  09A6 09B7 -
        -    099B ,    09B8 -
        CR   099C 09A7 09B9 09CB
        -    099D .    09BC 09CC
        098F 099E 09A8 09BD 09CD
    """,
    "gujarati": """
        3C=- 3D=0AAA 3E=0AAB 60=0AD0 7B=0AE0 7C=0AE1 7D=0AE2 7E=0AE3 7F=0AF1
        0A81 0A90 SP   0AAC 0ABE
        0A82 0A91 !    0AAD 0ABF
        0A83 -    0A9F 0AAE 0AC0
        0A85 0A93 0AA0 0AAF 0AC1
        0A86 0A94 0AA1 0AB0 0AC2
        0A87 0A95 0AA2 -    0AC3
        0A88 0A96 0AA3 0AB2 0AC4
        0A89 0A97 0AA4 0AB3 0AC5
        0A8A 0A98 )    -    -
        0A8B 0A99 (    0AB5 0AC7
        LF   0A9A 0AA5 0AB6 0AC8
        0A8C ESC  0AA6 0AB7 0AC9
        0A8D 0A9B ,    0AB8 -
        CR   0A9C 0AA7 0AB9 0ACB
        -    0A9D .    0ABC 0ACC
        0A8F 0A9E 0AA8 0ABD 0ACD
    """,
    "hindi": """
        3C=0929 3D=092A 3E=092B 60=0950 7B=0972 7C=097B 7D=097C 7E=097E 7F=097F
        0901 0910 SP   092C 093E
        0902 0911 !    092D 093F
        0903 0912 091F 092E 0940
        0905 0913 0920 092F 0941
        0906 0914 0921 0930 0942
        0907 0915 0922 0931 0943
        0908 0916 0923 0932 0944
        0909 0917 0924 0933 0945
        090A 0918 )    0934 0946
        090B 0919 (    0935 0947
        LF   091A 0925 0936 0948
        090C ESC  0926 0937 0949
        090D 091B ,    0938 094A
        CR   091C 0927 0939 094B
        090E 091D .    093C 094C
        090F 091E 0928 093D 094D
    """,
    "kannada": """
        3C=- 3D=0CAA 3E=0CAB 60=0CD5 7B=0CD6 7C=0CE0 7D=0CE1 7E=0CE2 7F=0CE3
        -    0C90 SP   0CAC 0CBE
        0C82 -    !    0CAD 0CBF
        0C83 0C92 0C9F 0CAE 0CC0
        0C85 0C93 0CA0 0CAF 0CC1
        0C86 0C94 0CA1 0CB0 0CC2
        0C87 0C95 0CA2 0CB1 0CC3
        0C88 0C96 0CA3 0CB2 0CC4
        0C89 0C97 0CA4 0CB3 -
        0C8A 0C98 )    -    0CC6
        0C8B 0C99 (    0CB5 0CC7
        LF   0C9A 0CA5 0CB6 0CC8
        0C8C ESC  0CA6 0CB7 -
        -    0C9B ,    0CB8 0CCA
        CR   0C9C 0CA7 0CB9 0CCB
        0C8E 0C9D .    0CBC 0CCC
        0C8F 0C9E 0CA8 0CBD 0CCD
    """,
    "malayalam": """
        3C=- 3D=0D2A 3E=0D2B 60=0D57 7B=0D60 7C=0D61 7D=0D62 7E=0D63 7F=0D79
        -    0D10 SP   0D2C 0D3E
        0D02 -    !    0D2D 0D3F
        0D03 0D12 0D1F 0D2E 0D40
        0D05 0D13 0D20 0D2F 0D41
        0D06 0D14 0D21 0D30 0D42
        0D07 0D15 0D22 0D31 0D43
        0D08 0D16 0D23 0D32 0D44
        0D09 0D17 0D24 0D33 -
        0D0A 0D18 )    0D34 0D46
        0D0B 0D19 (    0D35 0D47
        LF   0D1A 0D25 0D36 0D48
        0D0C ESC  0D26 0D37 -
        -    0D1B ,    0D38 0D4A
        CR   0D1C 0D27 0D39 0D4B
        0D0E 0D1D .    -    0D4C
        0D0F 0D1E 0D28 0D3D 0D4D
    """,
    "oriya": """
        3C=- 3D=0B2A 3E=0B2B 60=0B56 7B=0B57 7C=0B60 7D=0B61 7E=0B62 7F=0B63
        0B01 0B10 SP   0B2C 0B3E
        0B02 -    !    0B2D 0B3F
        0B03 -    0B1F 0B2E 0B40
        0B05 0B13 0B20 0B2F 0B41
        0B06 0B14 0B21 0B30 0B42
        0B07 0B15 0B22 -    0B43
        0B08 0B16 0B23 0B32 0B44
        0B09 0B17 0B24 0B33 -
        0B0A 0B18 )    -    -
        0B0B 0B19 (    0B35 0B47
        LF   0B1A 0B25 0B36 0B48
        0B0C ESC  0B26 0B37 -
        -    0B1B ,    0B38 -
        CR   0B1C 0B27 0B39 0B4B
        -    0B1D .    0B3C 0B4C
        0B0F 0B1E 0B28 0B3D 0B4D
    """,
    "punjabi": """
        3C=- 3D=0A2A 3E=0A2B 60=0A51 7B=0A70 7C=0A71 7D=0A72 7E=0A73 7F=0A74
        0A01 0A10 SP   0A2C 0A3E
        0A02 -    !    0A2D 0A3F
        0A03 -    0A1F 0A2E 0A40
        0A05 0A13 0A20 0A2F 0A41
        0A06 0A14 0A21 0A30 0A42
        0A07 0A15 0A22 -    -
        0A08 0A16 0A23 0A32 -
        0A09 0A17 0A24 0A33 -
        0A0A 0A18 )    -    -
        -    0A19 (    0A35 0A47
        LF   0A1A 0A25 0A36 0A48
        -    ESC  0A26 -    -
        -    0A1B ,    0A38 -
        CR   0A1C 0A27 0A39 0A4B
        -    0A1D .    0A3C 0A4C
        0A0F 0A1E 0A28 -    0A4D
    """,
    "tamil": """
        3C=0BA9 3D=0BAA 3E=- 60=0BD0 7B=0BD7 7C=0BF0 7D=0BF1 7E=0BF2 7F=0BF9
        -    0B90 SP   -    0BBE
        0B82 -    !    -    0BBF
        0B83 0B92 0B9F 0BAE 0BC0
        0B85 0B93 -    0BAF 0BC1
        0B86 0B94 -    0BB0 0BC2
        0B87 0B95 -    0BB1 -
        0B88 -    0BA3 0BB2 -
        0B89 -    0BA4 0BB3 -
        0B8A -    )    0BB4 0BC6
        -    0B99 (    0BB5 0BC7
        LF   0B9A -    0BB6 0BC8
        -    ESC  -    0BB7 -
        -    -    ,    0BB8 0BCA
        CR   0B9C -    0BB9 0BCB
        0B8E -    .    -    0BCC
        0B8F 0B9E 0BA8 -    0BCD
    """,
    "telugu": """
        3C=- 3D=0C2A 3E=0C2B 60=0C55 7B=0C56 7C=0C60 7D=0C61 7E=0C62 7F=0C63
        0C01 0C10 SP   0C2C 0C3E
        0C02 -    !    0C2D 0C3F
        0C03 0C12 0C1F 0C2E 0C40
        0C05 0C13 0C20 0C2F 0C41
        0C06 0C14 0C21 0C30 0C42
        0C07 0C15 0C22 0C31 0C43
        0C08 0C16 0C23 0C32 0C44
        0C09 0C17 0C24 0C33 -
        0C0A 0C18 )    -    0C46
        0C0B 0C19 (    0C35 0C47
        LF   0C1A 0C25 0C36 0C48
        0C0C ESC  0C26 0C37 -
        -    0C1B ,    0C38 0C4A
        CR   0C1C 0C27 0C39 0C4B
        0C0E 0C1D .    -    0C4C
        0C0F 0C1E 0C28 0C3D 0C4D
    """,
    "urdu": """
        3C=069A 3D=0633 3E=0634 60=0654 7B=0655 7C=0651 7D=0653 7E=0656 7F=0670
        0627 062B SP   0635 06BA
        0622 062C !    0636 06BB
        0628 0681 068F 0637 06BC
        067B 0684 068D 0638 0648
        0680 0683 0630 0639 06C4
        067E 0685 0631 0641 06D5
        06A6 0686 0691 0642 06C1
        062A 0687 0693 06A9 06BE
        06C2 062D )    06AA 0621
        067F 062E (    06AB 06CC
        LF   062F 0699 06AF 06D0
        0679 ESC  0632 06B3 06D2
        067D 068C ,    06B1 064D
        CR   0688 0696 0644 0650
        067A 0689 .    0645 064F
        067C 068A 0698 0646 0657
    """,
}

SINGLE = {
    "bengali": """
        09E6 09E7 09E8 09E9 09EA 09EB 09EC 09ED 09EE 09EF 09DF 09E0 09E1 09E2 09E3 09F2
        09F3 09F4 09F5 09F6 09F7 09F8 09F9 09FA
    """,
    "gujarati": """
        0964 0965 0AE6 0AE7 0AE8 0AE9 0AEA 0AEB 0AEC 0AED 0AEE 0AEF
    """,
    "hindi": """
        0964 0965 0966 0967 0968 0969 096A 096B 096C 096D 096E 096F 0951 0952 0953 0954
        0958 0959 095A 095B 095C 095D 095E 095F 0960 0961 0962 0963 0970 0971
    """,
    "kannada": """
        0964 0965 0CE6 0CE7 0CE8 0CE9 0CEA 0CEB 0CEC 0CED 0CEE 0CEF 0CDE 0CF1 0CF2
    """,
    "malayalam": """
        0964 0965 0D66 0D67 0D68 0D69 0D6A 0D6B 0D6C 0D6D 0D6E 0D6F 0D70 0D71 0D72 0D73
        0D74 0D75 0D7A 0D7B 0D7C 0D7D 0D7E 0D7F
    """,
    "oriya": """
        0964 0965 0B66 0B67 0B68 0B69 0B6A 0B6B 0B6C 0B6D 0B6E 0B6F 0B5C 0B5D 0B5F 0B70
        0B71
    """,
    "punjabi": """
        0964 0965 0A66 0A67 0A68 0A69 0A6A 0A6B 0A6C 0A6D 0A6E 0A6F 0A59 0A5A 0A5B 0A5C
        0A5E 0A75
    """,
    "tamil": """
        0964 0965 0BE6 0BE7 0BE8 0BE9 0BEA 0BEB 0BEC 0BED 0BEE 0BEF 0BF3 0BF4 0BF5 0BF6
        0BF7 0BF8 0BFA
    """,
    "telugu": """
        - - 0C66 0C67 0C68 0C69 0C6A 0C6B 0C6C 0C6D 0C6E 0C6F 0C58 0C59 0C78 0C79
        0C7A 0C7B 0C7C 0C7D 0C7E 0C7F
    """,
    "urdu": """
        0600 0601 06F0 06F1 06F2 06F3 06F4 06F5 06F6 06F7 06F8 06F9 060C 060D 060E 060F
        0610 0611 0612 0613 0614 061B 061F 0640 0652 0658 066B 066C 0672 0673 06CD 06D4
    """,
}
