Attribute VB_Name = "PortbalText"
Option Explicit

' Texts only: nothing here knows Excel.

' True for a name such as check_limits: lower-case letters and underscores.
Public Function IsCommandName(ByVal text As String) As Boolean
    Dim at As Integer
    IsCommandName = Len(text) > 0
    For at = 1 To Len(text)
        If InStr("abcdefghijklmnopqrstuvwxyz_", Mid(text, at, 1)) = 0 Then IsCommandName = False
    Next at
End Function

' The Python statement that carries a command out.
Public Function PythonCall(ByVal task As String) As String
    PythonCall = "from portbal_addin.hosts.excel import carrier;carrier.run('" & task & "')"
End Function

' check_limits as people write it.
Public Function CommandWords(ByVal task As String) As String
    CommandWords = Replace(task, "_", " ")
End Function

' The text without line breaks, cut to so many characters.
Public Function OneLine(ByVal text As String, ByVal most As Integer) As String
    Dim shown As String
    shown = Replace(Replace(text, vbCr, " "), vbLf, " ")
    Do While InStr(shown, "  ") > 0
        shown = Replace(shown, "  ", " ")
    Loop
    shown = Trim(shown)
    If Len(shown) > most Then shown = Left(shown, most - 3) & "..."
    OneLine = shown
End Function

' What went wrong, in one line: of a Python traceback what it ends with.
Public Function Reason(ByVal text As String, ByVal most As Integer) As String
    Dim shown As String
    Dim cut As Long
    shown = Replace(text, vbCr, vbLf)
    If InStr(shown, "Traceback (most recent call last)") > 0 Then
        Do While Right(shown, 1) = vbLf Or Right(shown, 1) = " "
            shown = Left(shown, Len(shown) - 1)
        Loop
        cut = InStrRev(shown, vbLf)
        shown = Mid(shown, cut + 1)
    End If
    Reason = OneLine(shown, most)
End Function

' What a cell shows when Python could not be reached.
Public Function FailureText(ByVal formula As String, ByVal text As String) As String
    FailureText = "#PORTBAL " & formula & ": Python did not answer (" & Reason(text, 200) _
        & "). Run portbal doctor in a command window."
End Function

' What the dialog shows when a command could not be carried to Python, or ended there.
Public Function FailureDialog(ByVal task As String, ByVal text As String) As String
    FailureDialog = "'" & CommandWords(task) & "' was not carried out: Python did not answer." _
        & vbCrLf & Reason(text, 300) & vbCrLf & vbCrLf _
        & "Run portbal doctor in a command window; it names the cause and the cure. If it finds " _
        & "none, report this with the file .portbal\portbal.log in your user folder."
End Function
